import fc from 'fast-check';
import { AnswerReader } from '../../../bench/end-to-end/answer-reader.js';
import { RequestCounter } from '../../../bench/end-to-end/request-counter.js';
import t from '../../support/tap.js';

/** The same bytes in pieces, cut where `cuts` says. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });

t.test('every request is counted once, with or without a body, however the stream is cut', async () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant(-1), fc.nat(60))), cuts, (bodies, at) => {
      const text = bodies
        .map((bytes) =>
          bytes < 0
            ? 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
            : `POST /b HTTP/1.1\r\nContent-Length: ${bytes}\r\nhost: a\r\n\r\n${'\r\n'.repeat(bytes).slice(0, bytes)}`,
        )
        .join('');
      const counter = new RequestCounter();
      const counted = pieces(Buffer.from(text), at).reduce((sum, piece) => sum + counter.count(piece), 0);
      return counted === bodies.length;
    }),
  );
});

t.test('carriage returns that end no line do not end a head', async (t) => {
  const counter = new RequestCounter();
  t.equal(counter.count(Buffer.from('\r\r\n\r\r\n\r')), 0);
  t.equal(counter.count(Buffer.from('\n')), 1);
});

t.test('every answer is read once with its status, however the stream is cut', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(200, 404, 503), fc.nat(40))), cuts, (answers, at) => {
      const text = answers
        .map(
          ([status, length]) =>
            `HTTP/1.1 ${status} X\r\nContent-Length: ${length}\r\nx: y\r\n\r\n${'\n'.repeat(length)}`,
        )
        .join('');
      const reader = new AnswerReader();
      const ended = pieces(Buffer.from(text), at).reduce((sum, piece) => sum + reader.read(piece), 0);
      return ended === answers.length && (ended === 0 || reader.status === answers.at(-1)![0]);
    }),
  );
});

t.test('an answer without a length is refused, because its end is not known', async (t) => {
  t.throws(
    () => new AnswerReader().read(Buffer.from('HTTP/1.1 200 OK\r\nx: y\r\n\r\n')),
    /no content-length/,
  );
});
