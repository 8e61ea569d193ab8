/** The description of the admin API against the server: its routes both ways, and its answers. */
import { openApi } from '../../../workers/admin/openapi.js';
import { ask } from '../../support/client.js';
import { Origin } from '../../support/origin.js';
import { refusedPort } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { reviews, UmbraProcess } from '../../support/umbra.js';
import { startAdmin } from './admin.js';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}
type Schema = Readonly<{
  type?: string;
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: readonly Schema[];
}>;

const { paths } = openApi() as { paths: Record<string, Record<string, Operation>> };
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** What is wrong with a value, by JSON Schema as far as the description uses it. */
function faults(schema: Schema, value: unknown, at = '$'): string[] {
  if (schema.anyOf !== undefined) {
    const all = schema.anyOf.map((one) => faults(one, value, at));
    return all.some((found) => found.length === 0) ? [] : (all[0] ?? []);
  }
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  if (schema.type !== undefined && schema.type !== type) return [`${at} is ${type}, not ${schema.type}`];
  if (type === 'array')
    return (value as unknown[]).flatMap((one, i) => faults(schema.items ?? {}, one, `${at}[${i}]`));
  if (type !== 'object') return [];
  const members = value as Record<string, unknown>;
  const missing = (schema.required ?? [])
    .filter((name) => !(name in members))
    .map((name) => `${at}.${name} is missing`);
  const { additionalProperties: rest } = schema;
  const wrong = Object.entries(members).flatMap(([name, member]) => {
    const known = schema.properties?.[name];
    if (known !== undefined) return faults(known, member, `${at}.${name}`);
    if (rest === false) return [`${at}.${name} is unknown`];
    return typeof rest === 'object' ? faults(rest, member, `${at}.${name}`) : [];
  });
  return [...missing, ...wrong];
}

t.test('every route of the server is described, and every described one is there', async (t) => {
  const { routes } = await startAdmin(t);
  // `all` answers wrong methods, and stands for every method.
  const served = routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
  t.strictSame(operations.map(({ method, path }) => `${method} ${path}`).sort(), [...new Set(served)].sort());
});

t.test('parameters of a path are described, and bodies where one is read', async (t) => {
  for (const { path, method, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name);
    t.strictSame(described, named, path);
    t.equal(operation.requestBody !== undefined, method !== 'get', `${method} ${path}`);
  }
});

t.test('answers of a running umbra are as described', async (t) => {
  const [v1, v2] = await Promise.all([Origin.listen(), Origin.listen()]);
  const words = reviews(v1.port, v2.port, { mirror: { compare: { sample: '100%' } } });
  words.versions.dead = { endpoints: `http://127.0.0.1:${await refusedPort()}` };
  words.routes.unshift({ name: 'broken', match: { path: { prefix: '/broken' } }, primary: 'dead' });
  const umbra = await UmbraProcess.start(words);
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  for (const target of ['/', '/', '/broken']) await ask(umbra.port, { target });
  await umbra.atRest();
  const checked = (
    name: string,
    operation: Operation,
    status: number,
    type: string,
    value: unknown,
  ): void => {
    const answer = operation.responses[String(status)];
    t.ok(answer, `${name}: ${status} is described`);
    const schema = answer?.content[type.split(';')[0]!]?.schema;
    t.ok(schema, `${name}: ${type} is described`);
    if (type.startsWith('application/json')) t.strictSame(faults(schema ?? {}, value), [], name);
  };
  for (const { path, method, operation } of operations) {
    if (method !== 'get' || path === '/api/stream' || path.startsWith('/dashboard')) continue;
    const response = await fetch(umbra.adminUrl + path.replace('{route}', 'reviews'));
    const body = await response.text();
    const type = response.headers.get('content-type')!;
    checked(path, operation, response.status, type, type.includes('json') ? JSON.parse(body) : body);
  }
  const patched = paths['/api/routes/{route}/mirrors/{version}']!.patch!;
  for (const [body, status] of [
    [{ percent: 5 }, 200],
    [{ percent: 'x' }, 400],
  ] as const) {
    const answer = await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v2', body);
    t.equal(answer.status, status);
    checked('PATCH', patched, answer.status, 'application/json', answer.json);
  }
  const unknown = await umbra.admin('PATCH', '/api/routes/none/mirrors/v2', { percent: 5 });
  checked('PATCH', patched, unknown.status, 'application/json', unknown.json);
  const refused = await umbra.admin('PUT', '/api/config', 'routes: 1');
  checked('PUT', paths['/api/config']!.put!, refused.status, 'application/json', refused.json);
});
