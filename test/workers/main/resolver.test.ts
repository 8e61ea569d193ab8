import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../../core/limits.js';
import { Resolver } from '../../../workers/main/resolver.js';
import t from '../../support/tap.js';
import { until } from '../../support/umbra.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-resolver-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const execArgv = ['--import', new URL('../../support/names.js', import.meta.url).href];
// A resolver keeps no process alive.
const held = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(held));
let files = 0;

/** A resolver whose process answers as `names` says; `log` holds the lookups that it began. */
function open(names: Record<string, readonly string[] | null | 'hang'>) {
  const file = join(directory, `${files++}.json`);
  writeFileSync(file, JSON.stringify(names));
  writeFileSync(`${file}.log`, '');
  process.env.UMBRA_TEST_NAMES = file;
  const resolver = new Resolver(execArgv);
  t.teardown(() => resolver.close());
  const count = (event: string) =>
    readFileSync(`${file}.log`, 'utf8')
      .split('\n')
      .filter((line) => line.includes(event)).length;
  return { resolver, count };
}

function hanging(count: number): Record<string, 'hang'> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}.test`, 'hang' as const]));
}

t.test(
  'a name resolves to all of its addresses, and one that is not found rejects with its code',
  async (t) => {
    const { resolver } = open({ 'a.test': ['10.0.0.1', 'fd00::1'], 'b.test': null });
    t.same(await resolver.lookUp('a.test', 'primary'), ['10.0.0.1', 'fd00::1']);
    await t.rejects(resolver.lookUp('b.test', 'shadow'), { code: 'ENOTFOUND' });
  },
);

t.test('lookups of one role that hang take no place of the other', async (t) => {
  const names = hanging(2 * limits.shadowLookups);
  const { resolver, count } = open({ ...names, 'a.test': ['10.0.0.1'] });
  for (const name of Object.keys(names)) void resolver.lookUp(name, 'shadow');
  await until(() => count('hangs on') === limits.shadowLookups, 'every place of shadows is taken');
  t.same(await resolver.lookUp('a.test', 'primary'), ['10.0.0.1']);
  t.equal(count('hangs on'), limits.shadowLookups, 'the other shadows still wait');
});

t.test(
  'a lookup that hangs past its time fails, and its place is taken back when another needs it',
  async (t) => {
    const names = hanging(limits.shadowLookups);
    const { resolver, count } = open({ ...names, 'a.test': ['10.0.0.1'] });
    resolver.lookupMs = 1;
    const late = Object.keys(names).map((name) =>
      t.rejects(resolver.lookUp(name, 'shadow'), { code: 'ETIMEDOUT' }),
    );
    await Promise.all(late);
    await until(() => count('hangs on') === limits.shadowLookups, 'every place is taken');
    resolver.lookupMs = 60_000;
    t.same(await resolver.lookUp('a.test', 'shadow'), ['10.0.0.1']);
    t.equal(count('loaded'), 2, 'the process was replaced');
  },
);

t.test('a process that ends fails its lookups, and the next lookup starts another', async (t) => {
  const { resolver } = open({ 'a.test': ['10.0.0.1'] });
  const broken = new Resolver(['--no-such-option']);
  t.teardown(() => broken.close());
  await t.rejects(broken.lookUp('a.test', 'primary'), /the resolver process ended/);
  await t.rejects(broken.lookUp('a.test', 'primary'), /the resolver process ended/);
  t.same(await resolver.lookUp('a.test', 'primary'), ['10.0.0.1']);
});
