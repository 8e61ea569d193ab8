import { limits } from '../../../core/limits.js';
import { Differs } from '../../../core/record/mirror-counters.js';
import { EndpointBook } from '../../../core/verdict/endpoint-book.js';
import {
  addEndpoints,
  type EndpointPairs,
  figuresOf,
  subtractEndpoints,
} from '../../../core/verdict/endpoint-pairs.js';
import { reasonsOf } from '../../../core/verdict/endpoint-reasons.js';
import { type Check, type CheckName, defaultBounds, type Outcome } from '../../../core/verdict/verdict.js';
import t from '../../support/tap.js';

const Ended = { OK: 0, SHADOW_ERROR: 1 } as const;
const sides = { primary: 'v1', shadow: 'v2' };
const word = (i: number): string => [...String(i)].map((digit) => 'abcdefghij'[Number(digit)]).join('');

function bookOf(configured: readonly string[] = []): EndpointBook {
  const book = new EndpointBook();
  book.follow(0, configured);
  return book;
}

/** `count` pairs; the shadow takes `factor` times the primary's milliseconds. */
function fill(book: EndpointBook, name: string, count: number, factor = 1, errors = 0): void {
  for (let i = 0; i < count; i++) {
    const outcome = i < errors ? Ended.SHADOW_ERROR : Ended.OK;
    const primaryUs = 1000 + (i % 100);
    book.counterOf(0, name)!.count(outcome, 0, primaryUs, Math.round(primaryUs * factor));
  }
}

const named = (all: readonly EndpointPairs[], name: string): EndpointPairs =>
  all.find(({ endpoint }) => endpoint === name)!;

t.test('an endpoint has counts, errors and latencies of its own', async (t) => {
  const book = bookOf();
  fill(book, 'GET /users/17', 100, 2, 10);
  fill(book, 'GET /users/18', 100, 2);
  fill(book, 'POST /users', 50);
  book.counterOf(0, 'POST /users')!.count(Ended.OK, Differs.STATUS | Differs.SIZE, 1000, 1000);
  const users = figuresOf(named(book.read(0), 'GET /users/*'));
  t.match(users, { pairs: 200, primaryErrors: 0, shadowErrors: 10, different: 0 });
  t.ok(Math.abs(users.slower! - 1) < 0.02, String(users.slower));
  t.ok(Math.abs(users.primaryUs.p50 / 1050 - 1) < 0.07, String(users.primaryUs.p50));
  t.ok(Math.abs(users.shadowUs.p99 / 2200 - 1) < 0.07, String(users.shadowUs.p99));
  t.match(figuresOf(named(book.read(0), 'POST /users')), { pairs: 51, different: 1, statusDifferent: 1 });
});

t.test(
  'what is of no mirror that is followed is left out, and patterns of the configuration come first',
  async (t) => {
    const book = bookOf(['/files/**']);
    t.equal(book.counterOf(7, 'GET /'), null);
    fill(book, 'GET /files/a/b', 3);
    t.strictSame(
      book.read(0).map(({ endpoint }) => endpoint),
      ['GET /files/**'],
    );
    book.follow(0, ['/files/**']);
    t.equal(book.read(0).length, 1, 'the same patterns keep the counts');
    book.follow(0, []);
    t.strictSame(book.read(0), []);
  },
);

t.test('endpoints that become one keep every pair', async (t) => {
  const book = bookOf();
  for (let i = 0; i <= limits.endpointWords; i++) fill(book, `GET /users/${word(i)}/orders`, 2, 3);
  const [all, ...others] = book.read(0);
  t.strictSame(others, []);
  t.equal(all.endpoint, 'GET /users/*/orders');
  t.match(figuresOf(all), { pairs: 2 * (limits.endpointWords + 1) });
  t.equal(all.ratio.count, 2 * (limits.endpointWords + 1));
});

t.test('endpoints are bounded over all mirrors, and so are the methods of one', async (t) => {
  const book = new EndpointBook();
  const perMirror = 200;
  const mirrors = Math.ceil(limits.countedEndpoints / perMirror) + 1;
  let pairs = 0;
  for (let slot = 0; slot < mirrors; slot++) {
    book.follow(slot, []);
    for (let i = 0; i < perMirror; i++, pairs++)
      book.counterOf(slot, `GET /${word(i % 50)}/${word(i)}`)!.count(0, 0, 1, 1);
  }
  const all = Array.from({ length: mirrors }, (_, slot) => book.read(slot)).flat();
  t.ok(all.length <= limits.countedEndpoints + mirrors, String(all.length));
  t.equal(
    all.reduce((sum, one) => sum + figuresOf(one).pairs, 0),
    pairs,
    'no pair is lost',
  );
  for (let i = 0; i < 100; i++) book.counterOf(0, `M${i} /`)!.count(0, 0, 1, 1);
  t.ok(book.read(0).length <= perMirror + limits.endpointMethods + 2);
});

t.test('windows are subtracted, and endpoints that became one meanwhile too', async (t) => {
  const book = bookOf();
  fill(book, 'GET /a', 10, 1, 2);
  fill(book, 'GET /users/zoe', 5);
  const earlier = book.read(0);
  t.strictSame(subtractEndpoints(book.read(0), earlier), [], 'nothing came');
  fill(book, 'GET /a', 7, 2, 1);
  for (let i = 0; i <= limits.endpointWords; i++) fill(book, `GET /users/${word(i)}`, 1);
  const window = subtractEndpoints(book.read(0), earlier);
  t.match(figuresOf(named(window, 'GET /a')), { pairs: 7, shadowErrors: 1 });
  t.equal(named(window, 'GET /a').ratio.count, 6);
  t.match(figuresOf(named(window, 'GET /users/*')), { pairs: limits.endpointWords + 1 });
  const restarted = bookOf();
  fill(restarted, 'GET /a', 3);
  const since = restarted.read(0).map((one) => ({ ...one, sinceMs: one.sinceMs + 1 }));
  t.match(subtractEndpoints(since, earlier).map(figuresOf), [{ pairs: 3 }], 'what came since');
});

t.test('endpoints of instances add up', async (t) => {
  const [one, other] = [bookOf(), bookOf()];
  fill(one, 'GET /a', 10);
  fill(other, 'GET /a', 20, 1, 3);
  fill(other, 'GET /b', 5);
  const sum = addEndpoints([...one.read(0), ...other.read(0)]);
  t.match(figuresOf(named(sum, 'GET /a')), { pairs: 30, shadowErrors: 3 });
  t.match(figuresOf(named(sum, 'GET /b')), { pairs: 5 });
});

const check = (name: CheckName, outcome: Outcome): Check => {
  const bounds = {
    errors: defaultBounds.errorDelta,
    latency: defaultBounds.shift,
    tail: defaultBounds.p99Delta,
  };
  const bound = bounds[name as keyof typeof bounds] ?? defaultBounds.diff;
  return { name, outcome, why: null, measured: 0, interval: { low: 0, high: 0 }, bound, pairs: 1, text: '' };
};

t.test('a check that does not pass names the endpoints that it comes from, and no other', async (t) => {
  const book = bookOf();
  fill(book, 'GET /fine', 5000);
  fill(book, 'GET /slow', 2000, 1.5);
  fill(book, 'GET /failing', 2000, 1, 60);
  fill(book, 'GET /other', 2000);
  for (let i = 0; i < 50; i++) book.counterOf(0, 'GET /other')!.count(0, Differs.STATUS, 1000, 1000);
  const all = book.read(0);
  const reasons = (...checks: Check[]) =>
    reasonsOf(all, checks, sides).map(({ check, endpoint, text }) => `${check} ${endpoint}: ${text}`);
  t.strictSame(reasons(check('errors', 'fail')), [
    'errors GET /failing: v2 failed 60 of 2 000 pairs and v1 0',
  ]);
  t.match(reasons(check('latency', 'fail')), [
    /^latency GET \/slow: \d+(\.\d+)? % longer than v1 in 2 000 pairs$/,
  ]);
  t.match(reasons(check('tail', 'fail')), [/^tail GET \/slow: the p99 of v2 is /]);
  t.strictSame(reasons(check('status', 'fail'), check('differences', 'undecided')), [
    'status GET /other: the status differed in 50 of 2 050 pairs',
    'differences GET /other: a byte differed in 50 of 2 050 pairs',
  ]);
  t.strictSame(reasons(check('errors', 'pass'), check('latency', 'undecided')), []);
});
