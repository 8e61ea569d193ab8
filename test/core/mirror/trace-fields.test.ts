import fc from 'fast-check';
import { fieldValue } from '../../../core/http/fields.js';
import { withNewTrace, withoutTrace } from '../../../core/mirror/trace-fields.js';
import { seededRandom } from '../../../core/route/random.js';
import t from '../../support/tap.js';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';
const all = [
  'accept: */*',
  `Traceparent: 00-${trace}-${span}-01`,
  'tracestate: vendor=1',
  `b3: ${trace}-${span}-1-${span}`,
  `X-B3-TraceId: ${trace.slice(16)}`,
  `X-B3-SpanId: ${span}`,
  `X-B3-ParentSpanId: ${span}`,
  'X-B3-Sampled: 1',
  'X-B3-Flags: 0',
  'X-Request-Id: the-client-says',
  'x-kept: 1',
]
  .map((line) => `${line}\r\n`)
  .join('');

function random(seed = 1): () => number {
  return seededRandom(Uint32Array.of(seed, 2, 3, 4));
}

function renewed(line: string): string {
  return withNewTrace(`${line}\r\n`, random());
}

t.test('drop leaves the fields of traces out, in any case, and no others', async (t) => {
  t.equal(withoutTrace(all), 'accept: */*\r\nx-kept: 1\r\n');
});

t.test('new gives one new trace in all the formats that came', async (t) => {
  const fields = withNewTrace(all, random());
  const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(fieldValue(fields, 'traceparent')!)!;
  const [, newTrace, newSpan] = parts;
  t.not(newTrace, trace);
  t.not(newSpan, span);
  t.equal(
    fieldValue(fields, 'b3'),
    `${newTrace}-${newSpan}-1`,
    'the parent is gone, the sampling state stays',
  );
  t.equal(fieldValue(fields, 'x-b3-traceid'), newTrace.slice(16), 'as long as the one that came');
  t.equal(fieldValue(fields, 'x-b3-spanid'), newSpan);
  t.match(
    fieldValue(fields, 'x-request-id'),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  for (const gone of ['tracestate', 'x-b3-parentspanid']) t.equal(fieldValue(fields, gone), null, gone);
  for (const [kept, value] of [
    ['x-b3-sampled', '1'],
    ['x-b3-flags', '0'],
    ['accept', '*/*'],
    ['x-kept', '1'],
  ])
    t.equal(fieldValue(fields, kept), value, kept);
});

t.test('new adds nothing where nothing came, and asks for no chance', async (t) => {
  const none = () => {
    throw new Error('not asked for');
  };
  t.equal(withNewTrace('accept: */*\r\nx-b3-sampled: 0\r\n', none), 'accept: */*\r\nx-b3-sampled: 0\r\n');
  t.equal(withNewTrace('', none), '');
});

t.test('a value that is not a traceparent becomes one that is not sampled', async (t) => {
  for (const value of ['', 'x', `00-${trace}-${span}`, `00-${trace}-${span}-0g`, `00-${trace}-${span}-00`])
    t.match(renewed(`traceparent: ${value}`), /^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-00\r\n$/, value);
  t.match(renewed(`traceparent: cc-${trace}-${span}-03-of-a-later-version`), /-01\r\n$/);
});

t.test('a b3 that is a sampling state alone stays, and one that is nothing is left out', async (t) => {
  for (const state of ['0', '1', 'd']) t.equal(renewed(`b3: ${state}`), `b3: ${state}\r\n`);
  t.equal(renewed('b3: nonsense'), '');
  t.match(renewed(`b3: ${trace.slice(16)}-${span}`), /^b3: [0-9a-f]{16}-[0-9a-f]{16}\r\n$/);
});

t.test('ids are never all zeroes, and differ from copy to copy', async (t) => {
  t.match(
    withNewTrace('traceparent: x\r\n', () => 0),
    /^traceparent: 00-0{31}1-0{15}1-00/,
  );
  const one = random();
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.constant(all), (fields) => {
      const value = fieldValue(withNewTrace(fields, one), 'traceparent')!;
      const isNew = !seen.has(value);
      seen.add(value);
      return isNew;
    }),
  );
  t.ok(seen.size >= 100);
});
