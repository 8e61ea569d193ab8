import { compilePlan } from '../../../config/compile.js';
import { MirrorSlots } from '../../../config/slots.js';
import { limits } from '../../../core/limits.js';
import type { Plan } from '../../../core/plan.js';
import { AddressBook } from '../../../workers/main/address-book.js';
import type { Lookup } from '../../../workers/main/resolver.js';
import { loaded } from '../../config/told.js';
import t from '../../support/tap.js';

let generation = 0;
function planOf(versions: string): Plan {
  const first = /\w+/.exec(versions)![0];
  const text = `versions: { ${versions} }\nroutes: [ { primary: ${first} } ]\n`;
  return compilePlan(loaded(text), ++generation, new MirrorSlots(), 1);
}

/** A book whose lookups are answered by the test. */
class Rig {
  readonly asked: string[] = [];
  readonly roles = new Map<string, string>();
  readonly logged: string[] = [];
  changes = 0;
  answers: Record<string, readonly string[] | Error | Promise<readonly string[]>> = {};
  readonly book: AddressBook;
  #wake: () => void = () => undefined;

  constructor() {
    const lookup: Lookup = async (name, role) => {
      this.asked.push(name);
      this.roles.set(name, role);
      const answer = this.answers[name] ?? new Error('unknown');
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const events = {
      onChange: () => {
        this.changes++;
        this.#wake();
      },
      onLog: (_level: string, message: string) => void this.logged.push(message),
    };
    this.book = new AddressBook(events, lookup);
    t.teardown(() => this.book.stop());
  }

  async changed(): Promise<void> {
    const { changes } = this;
    const held = setInterval(() => undefined, 1000);
    while (this.changes === changes) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearInterval(held);
  }

  hosts(version: string): string[] {
    return this.book.targets
      .get(version)!
      .map(({ address }) => (address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path));
  }
}

t.test('each endpoint stands at its addresses, in order; what is no name is not looked up', async (t) => {
  const rig = new Rig();
  rig.answers = { 'a.test': ['10.0.0.1', 'fd00::1'] };
  await rig.book.apply(
    planOf('v1: [ "http://a.test:81", "http://127.0.0.1:82", "http://[::1]:83", "unix:/run/a.sock" ]'),
  );
  t.same(rig.hosts('v1'), ['10.0.0.1:81', 'fd00::1:81', '127.0.0.1:82', '::1:83', '/run/a.sock']);
  t.same(rig.asked, ['a.test']);
  t.equal(rig.changes, 0, 'who follows takes the targets itself');
});

t.test('a name of several versions is looked up once, as often as the most eager one wants', async (t) => {
  const rig = new Rig();
  rig.answers = { 'a.test': ['10.0.0.1'] };
  await rig.book.apply(
    planOf(
      'v1: { endpoints: "http://a.test:81", dns: { refresh: 1h } }, v2: { endpoints: "http://a.test:82", dns: { refresh: 10ms } }',
    ),
  );
  t.same(rig.asked, ['a.test']);
  rig.answers = { 'a.test': ['10.0.0.2'] };
  await rig.changed();
  t.same([rig.hosts('v1'), rig.hosts('v2')], [['10.0.0.2:81'], ['10.0.0.2:82']]);
});

t.test(
  'health blocks stay with their address over moves and plans, and only versions with checks have one',
  async (t) => {
    const rig = new Rig();
    rig.answers = { 'a.test': ['10.0.0.1', '10.0.0.2'] };
    const checked = 'v1: { endpoints: "http://a.test:81", dns: { refresh: 10ms }, health: { path: / } }';
    await rig.book.apply(planOf(`${checked}, v2: "http://a.test:81"`));
    const [first, second] = rig.book.targets.get('v1')!;
    t.ok(first!.health instanceof SharedArrayBuffer && second!.health instanceof SharedArrayBuffer);
    t.not(first!.health, second!.health);
    t.equal(rig.book.targets.get('v2')![0]!.health, null);
    rig.answers = { 'a.test': ['10.0.0.3', '10.0.0.2'] };
    await rig.changed();
    t.equal(rig.book.targets.get('v1')![0]!.health, second!.health);
    await rig.book.apply(planOf(checked));
    t.equal(rig.book.targets.get('v1')![0]!.health, second!.health);
  },
);

t.test('names that have left the plan are forgotten; a failed one is logged once', async (t) => {
  const rig = new Rig();
  await rig.book.apply(planOf('v1: { endpoints: "http://a.test:81", dns: { refresh: 5ms } }'));
  t.same(rig.hosts('v1'), []);
  rig.answers = { 'a.test': ['10.0.0.1'] };
  await rig.changed();
  t.match(rig.logged, [
    /^a\.test does not resolve .* requests that need it fail/,
    /^a\.test resolves to 10\.0\.0\.1$/,
  ]);
  t.same(
    rig.book.names.map(({ name }) => name),
    ['a.test'],
  );
  await rig.book.apply(planOf('v1: "http://127.0.0.1:1"'));
  t.same(rig.book.names, []);
});

t.test('a name that a primary and a shadow share is looked up as a primary', async (t) => {
  const rig = new Rig();
  await rig.book.apply(planOf('v1: "http://a.test", v2: [ "http://a.test:81", "http://b.test" ]'));
  t.same(
    [...rig.roles],
    [
      ['a.test', 'primary'],
      ['b.test', 'shadow'],
    ],
  );
});

t.test('a name of the plan in force moves while the next plan waits for a name that hangs', async (t) => {
  const rig = new Rig();
  rig.answers = { 'a.test': ['10.0.0.1'] };
  const v1 = 'v1: { endpoints: "http://a.test", dns: { refresh: 5ms } }';
  await rig.book.apply(planOf(v1));
  let answer: (found: readonly string[]) => void = () => undefined;
  rig.answers['b.test'] = new Promise((resolve) => {
    answer = resolve;
  });
  const following = rig.book.apply(planOf(`${v1}, v2: "http://b.test"`));
  rig.answers['a.test'] = ['10.0.0.2'];
  await rig.changed();
  t.same(rig.hosts('v1'), ['10.0.0.2:80']);
  t.notOk(rig.book.targets.has('v2'), 'the next plan is not in force yet');
  answer(['10.0.0.3']);
  await following;
  t.same([rig.hosts('v1'), rig.hosts('v2')], [['10.0.0.2:80'], ['10.0.0.3:80']]);
});

t.test('a plan waits once for a name that hangs, and later plans do not', async (t) => {
  const rig = new Rig();
  rig.answers = { 'a.test': new Promise(() => undefined) };
  await rig.book.apply(planOf('v1: "http://a.test"'));
  let isSettled = false;
  void rig.book.apply(planOf('v1: "http://a.test"')).then(() => {
    isSettled = true;
  });
  await new Promise(setImmediate);
  t.ok(isSettled);
});

t.test('more addresses than are used are logged', async (t) => {
  const rig = new Rig();
  rig.answers = { 'a.test': Array.from({ length: limits.addressesPerName + 1 }, (_, i) => `10.0.0.${i}`) };
  await rig.book.apply(planOf('v1: "http://a.test"'));
  t.equal(rig.hosts('v1').length, limits.addressesPerName);
  t.match(rig.logged[0], /^a\.test has more than \d+ addresses; the others are not used$/);
});
