import { readFile } from 'node:fs/promises';
import t from 'tap';
import { configJsonSchema, configJsonSchemaText } from '../../config/json-schema.js';

interface Schema {
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
}

interface Key {
  /** `routes[].mirrors[].percent`; `NAME` stands for a name that the user chooses. */
  path: string;
  schema: Schema;
}

/** Every key of the schema; more than once where there are several forms. */
function keysOf(schema: Schema, path = ''): Key[] {
  const properties = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const keyPath = path === '' ? key : `${path}.${key}`;
    return [{ path: keyPath, schema: inner }, ...keysOf(inner, keyPath)];
  });
  const named =
    typeof schema.additionalProperties === 'object'
      ? keysOf(schema.additionalProperties, `${path}.NAME`)
      : [];
  const items = schema.items === undefined ? [] : keysOf(schema.items, `${path}[]`);
  const all = [
    ...properties,
    ...named,
    ...items,
    ...(schema.anyOf ?? []).flatMap((form) => keysOf(form, path)),
  ];
  return all;
}

/** A list may be given as its only item; its keys are told once, as those of an item. */
function listed(key: Key): Key {
  return { ...key, path: key.path.replace(/^listen\./, 'listen[].').replace('.match[]', '.match') };
}

const keys = [
  ...new Map(
    keysOf(configJsonSchema() as Schema)
      .map(listed)
      .map((key) => [key.path, key]),
  ).values(),
];

t.test('config/schema.json is what the schema says; `npm run build` writes it', async (t) => {
  t.equal(await readFile('config/schema.json', 'utf8'), configJsonSchemaText());
});

t.test('every key tells an editor what it means', async (t) => {
  t.ok(keys.length > 50, `${keys.length} keys`);
  for (const { path, schema } of keys) t.ok(schema.description, path);
});

t.test('docs/configuration.md has every key, with its default', async (t) => {
  const page = await readFile('docs/configuration.md', 'utf8');
  /** Rows of tables: | `key` | type | default | meaning | */
  const rows = new Map(
    [...page.matchAll(/^\| `([^`]+)` *\|[^|]*\|([^|]*)\|/gm)].map((row) => [row[1], row[2].trim()]),
  );
  for (const { path, schema } of keys) {
    if (!rows.has(path)) t.fail(`no row for ${path}`);
    else if (isPlain(schema.default)) t.equal(rows.get(path), `\`${schema.default}\``, `default of ${path}`);
  }
  const known = new Set(keys.map((key) => key.path));
  for (const path of rows.keys()) t.ok(known.has(path), `${path} is a key`);
});

t.test('the examples of docs/configuration.md are good', async (t) => {
  const { told } = await import('./told.js');
  const page = await readFile('docs/configuration.md', 'utf8');
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((example) => example[1]);
  t.ok(examples.length > 0);
  for (const example of examples) {
    const isWhole = /^versions:/m.test(example) && /^routes:/m.test(example);
    const rest = isWhole ? '' : 'versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2" }\n';
    const routes = isWhole || /^routes:/m.test(example) ? '' : 'routes: [ { primary: v1 } ]\n';
    t.same(told(example + rest + routes, { env: { UMBRA_TOKEN: 'x' } }), [], example.slice(0, 60));
  }
});

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
