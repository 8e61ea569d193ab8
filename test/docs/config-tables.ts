/** The tables of docs/configuration: every key with its type, default and meaning, from the schema. */
import { z } from 'zod';
import { configSchema } from '../../config/schema.js';
import type { DocTable } from '../support/doc-table.js';

/** What is used of JSON Schema, and `kind`, the name of a type. */
interface Schema {
  readonly kind?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}

export interface ConfigKey {
  /** `routes[].mirrors[].percent`; `NAME` stands for a name that the user chooses. */
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** By the beginning of a key's path; the longest one counts. */
const tables: Readonly<Record<string, string>> = {
  listen: 'listeners',
  admin: 'admin',
  threads: 'process',
  drain: 'process',
  sampling: 'process',
  versions: 'versions',
  routes: 'routes',
  guard: 'guard',
  'routes[].guard': 'guard',
  'routes[].mirrors': 'mirrors',
  'routes[].mirrors[].compare': 'compare',
  'routes[].mirrors[].recording': 'recordings',
  'routes[].mirrors[].stream': 'streams',
  subsets: 'resources',
  documents: 'resources',
  state: 'process',
  accessLog: 'access log',
  histograms: 'histogram logs',
  log: 'log',
  tracing: 'tracing',
  fleet: 'fleet',
  redact: 'redaction',
};

/** The pages that have the tables. */
export const configPages: readonly string[] = ['listeners', 'versions', 'routes', 'mirrors', 'process'].map(
  (name) => `configuration/${name}.md`,
);

export function configTables(): DocTable[] {
  const rows = new Map<string, string[][]>();
  for (const key of configKeys()) {
    const name = tableOf(key.path);
    rows.set(name, [...(rows.get(name) ?? []), rowOf(key)]);
  }
  const columns = ['key', 'type', 'default', 'meaning'];
  return [...rows].map(([name, rows]) => ({ name, columns, rows }));
}

/** Every key once, in the order of the schema; those of several forms in the place of the first. */
export function configKeys(): ConfigKey[] {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  const keys = keysOf(schema as Schema, '').map((key) => ({ ...key, path: pathOfItem(key.path) }));
  return [...new Map(keys.map((key) => [key.path, key])).values()];
}

function keysOf(schema: Schema, path: string): ConfigKey[] {
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, inner]): ConfigKey[] => {
    const key = path === '' ? name : `${path}.${name}`;
    const required = schema.required?.includes(name) === true;
    return [{ path: key, schema: inner, required }, ...keysOf(inner, key)];
  });
  const { additionalProperties: named, items, anyOf = [] } = schema;
  return [
    ...properties,
    ...(typeof named === 'object' ? keysOf(named, `${path}.NAME`) : []),
    ...(items === undefined ? [] : keysOf(items, `${path}[]`)),
    ...anyOf.flatMap((form) => keysOf(form, path)),
  ];
}

/** A list may be given as its only item; its keys are written once, as those of an item. */
function pathOfItem(path: string): string {
  return path.replace(/^listen\./, 'listen[].').replace('.match[]', '.match');
}

function tableOf(path: string): string {
  const fits = Object.keys(tables).filter(
    (start) => path === start || /^[.[]/.test(path.slice(start.length)),
  );
  const own = fits.filter((start) => path.startsWith(start)).sort((a, b) => b.length - a.length)[0];
  if (own === undefined) throw new Error(`no table of docs/configuration is for ${path}`);
  return tables[own];
}

function rowOf({ path, schema, required }: ConfigKey): string[] {
  return [`\`${path}\``, typeOf(schema), required ? 'required' : defaultOf(schema), schema.description ?? ''];
}

function typeOf(schema: Schema): string {
  const { kind, type, enum: words, anyOf, items, minimum, maximum } = schema;
  if (kind !== undefined) return kind;
  if (anyOf !== undefined) {
    // `false` is another word for `off`.
    const forms = [...new Set(anyOf.filter((form) => form.const !== false).map(typeOf))];
    const singles = forms.filter((form) => !form.startsWith('list of ')).join(', or ');
    return forms.join(', or ').replace(`list of ${singles}`, 'list of them');
  }
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(', ');
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'array') return `list of ${plural(typeOf(items ?? {}))}`;
  if (type === 'object') return 'mapping';
  if (type === 'integer') return `${minimum} to ${maximum}`;
  if (typeof type === 'object') return type.length === 2 ? 'number, or percentage' : 'value';
  return type === 'string' ? 'text' : (type ?? '');
}

function plural(type: string): string {
  if (type.startsWith('name of a ')) return `${type.replace('name of a ', 'names of ')}s`;
  return /^[a-zA-Z ]+$/.test(type) ? `${type}s` : type;
}

function defaultOf({ default: value }: Schema): string {
  if (value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)) return '';
  return typeof value === 'object' ? `\`${JSON.stringify(value).replaceAll('"', '')}\`` : `\`${value}\``;
}
