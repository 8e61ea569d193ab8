import { readFile } from 'node:fs/promises';
import { configJsonSchemaText } from '../../config/json-schema.js';
import { configKeys, configPages, configTables } from '../docs/config-tables.js';
import { readDocument, tablesByPage, withTables } from '../support/doc-table.js';
import t from '../support/tap.js';

t.test('config/schema.json is what the schema says; `npm run build` writes it', async (t) => {
  t.equal(await readFile('config/schema.json', 'utf8'), configJsonSchemaText());
});

t.test('every key says what it means', async (t) => {
  const keys = configKeys();
  t.ok(keys.length > 50, `${keys.length} keys`);
  for (const { path, schema } of keys) t.ok(schema.description, path);
});

t.test('docs/configuration has the keys of the schema: `npm run docs` writes them', async (t) => {
  for (const [page, tables] of tablesByPage(configPages, configTables())) {
    const text = readDocument(page);
    t.equal(text, withTables(text, tables), page);
    t.ok(tables.length > 0, page);
  }
});

t.test('the examples of docs/configuration are good', async (t) => {
  const { told } = await import('./told.js');
  const pages = ['configuration.md', ...configPages].map(readDocument);
  const examples = pages.flatMap((page) => [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml));
  t.ok(examples.length > 20, `${examples.length} examples`);
  for (const example of examples) {
    const isWhole = /^versions:/m.test(example) && /^routes:/m.test(example);
    const rest = isWhole ? '' : 'versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2" }\n';
    const routes = isWhole || /^routes:/m.test(example) ? '' : 'routes: [ { primary: v1 } ]\n';
    t.same(told(example + rest + routes, { env: { UMBRA_TOKEN: 'x' } }), [], example.slice(0, 60));
  }
});
