import fc from 'fast-check';
import { parentContext, Sampled, withContext } from '../../../core/mirror/trace-context.js';
import { Tracer } from '../../../core/mirror/tracer.js';
import { seededRandom } from '../../../core/route/random.js';
import t from '../../support/tap.js';

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

t.test('contexts are read in every format, and W3C counts before B3', async (t) => {
  for (const [lines, expected] of [
    [`traceparent: 00-${trace}-${span}-01\r\n`, [trace, span, Sampled.YES]],
    [`traceparent: 00-${trace}-${span}-00\r\nb3: 1\r\n`, [trace, span, Sampled.NO]],
    [`Traceparent: cc-${trace}-${span}-09-more\r\n`, [trace, span, Sampled.YES]],
    [`b3: ${trace}-${span}-d\r\n`, [trace, span, Sampled.YES]],
    [`b3: ${trace}-${span}\r\n`, [trace, span, Sampled.OPEN]],
    [`b3: ${trace.slice(16)}-${span}-1-${span}\r\n`, ['0'.repeat(16) + trace.slice(16), span, Sampled.YES]],
    ['b3: 0\r\n', ['', '', Sampled.NO]],
    [`X-B3-TraceId: ${trace}\r\nX-B3-SpanId: ${span}\r\nX-B3-Sampled: 1\r\n`, [trace, span, Sampled.YES]],
    [`x-b3-traceid: ${trace}\r\nx-b3-spanid: ${span}\r\nx-b3-flags: 1\r\n`, [trace, span, Sampled.YES]],
    ['x-b3-sampled: 0\r\n', ['', '', Sampled.NO]],
  ] as const) {
    const found = parentContext(lines);
    t.strictSame(found && [found.traceId, found.spanId, found.sampled], expected, lines);
  }
});

t.test('a context that is invalid is none', async (t) => {
  for (const lines of [
    '',
    'traceparent: \r\n',
    `traceparent: ff-${trace}-${span}-01\r\n`,
    `traceparent: 00-${trace}-${span}-01-more\r\n`,
    `traceparent: 00-${'0'.repeat(32)}-${span}-01\r\n`,
    `traceparent: 00-${trace}-${'0'.repeat(16)}-01\r\n`,
    `traceparent: 00-${trace.toUpperCase()}-${span}-01\r\n`,
    `b3: ${trace}\r\n`,
    `x-b3-traceid: ${trace}\r\n`,
  ])
    t.equal(parentContext(lines), null, lines);
});

t.test('a context that was written is read again, whatever formats the request had', async () => {
  const formats = [
    'traceparent: junk\r\n',
    'b3: junk\r\n',
    `x-b3-traceid: ${trace.slice(16)}\r\nx-b3-spanid: 1\r\n`,
    'accept: */*\r\n',
  ];
  fc.assert(
    fc.property(fc.subarray(formats), (lines) => {
      const found = parentContext(withContext(lines.join(''), trace, span));
      const isShort = lines.join('').includes('x-b3-traceid') && !lines.join('').match(/traceparent|b3: /);
      return (
        found !== null &&
        found.sampled === Sampled.YES &&
        found.spanId === span &&
        (isShort ? found.traceId.endsWith(trace.slice(16)) : found.traceId === trace)
      );
    }),
  );
});

t.test('the share is kept, and the same trace id comes to the same decision', async (t) => {
  const random = seededRandom(new Uint32Array([1, 2, 3, 4]));
  const tracer = new Tracer({ shareMillionths: 10_000 }, random);
  let sampled = 0;
  for (let i = 0; i < 100_000; i++) if (tracer.begin({ fields: '' }) !== null) sampled++;
  t.ok(sampled > 850 && sampled < 1150, `${sampled} of 100000 at 1 %`);
  // The threshold of OpenTelemetry for 1 % is fd70a3d70a3d71: the 56 bits at the end of the id decide.
  for (const [end, expected] of [
    ['fd70a3d70a3d71', true],
    ['fd70a3d70a3c00', false],
    ['ffffffffffffff', true],
    ['00000000000000', false],
  ] as const) {
    const head = { fields: '' };
    head.fields = `b3: 123456789012345678${end}-${span}\r\n`;
    t.equal(tracer.begin(head) !== null, expected, end);
  }
});

t.test('a share of 0 traces nothing but what clients ask for, and 100 % everything', async (t) => {
  const random = seededRandom(new Uint32Array([4, 3, 2, 1]));
  const none = new Tracer({ shareMillionths: 0 }, random);
  const all = new Tracer({ shareMillionths: 1e6 }, random);
  for (let i = 0; i < 1000; i++) {
    t.equal(none.begin({ fields: '' }), null);
    t.not(all.begin({ fields: '' }), null);
  }
  const head = { fields: '' };
  head.fields = 'b3: 1\r\n';
  t.equal(none.begin(head)!.parentId, '');
});
