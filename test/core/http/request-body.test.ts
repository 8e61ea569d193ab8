import fc from 'fast-check';
import { Framing } from '../../../core/http/message.js';
import { RequestBodyReader } from '../../../core/http/request-body.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';

interface Read {
  readonly body: string;
  readonly trailers: string;
  readonly complete: boolean;
  readonly refused: boolean;
  /** Bytes that were taken. */
  readonly taken: number;
  /** How often the sink heard that the body is complete. */
  readonly lasts: number;
}

/** Feeds `text` cut at `cuts`. */
function read(framing: Framing, length: number, text: string, cuts: readonly number[] = []): Read {
  const reader = new RequestBodyReader();
  reader.begin(framing, length, '');
  const bytes = Buffer.from(text, 'latin1');
  let body = '';
  let trailers = '';
  let lasts = 0;
  let taken = 0;
  const sink = {
    onTrailers(lines: string): void {
      trailers += lines;
    },
    onPiece(piece: Uint8Array, last: boolean): void {
      body += Buffer.from(piece).toString('latin1');
      if (last) lasts++;
    },
  };
  for (const end of [...cuts.filter((cut) => cut <= bytes.length).sort((a, b) => a - b), bytes.length]) {
    if (end < taken) continue;
    const at = reader.feed(bytes, taken, end, sink);
    taken = at;
    if (reader.complete || reader.refused) break;
  }
  return { body, trailers, complete: reader.complete, refused: reader.refused, taken, lasts };
}

t.test('a body of a length ends with its last byte, and what follows is left alone', async (t) => {
  t.strictSame(read(Framing.LENGTH, 5, 'helloGET'), {
    body: 'hello',
    trailers: '',
    complete: true,
    refused: false,
    taken: 5,
    lasts: 1,
  });
  t.match(read(Framing.LENGTH, 5, 'hell'), { body: 'hell', complete: false, lasts: 0 });
});

t.test('chunks are taken apart; extensions are ignored and trailers kept apart', async (t) => {
  const text = '5;a="b"\r\nhello\r\n 1\r\n!\r\n0\r\nX-T: 1\r\n\r\n'.replace(' 1', '01');
  t.strictSame(read(Framing.CHUNKED, 0, `${text}GET`), {
    body: 'hello!',
    trailers: 'X-T: 1\r\n',
    complete: true,
    refused: false,
    taken: text.length,
    lasts: 1,
  });
});

const malformed: readonly [name: string, text: string][] = [
  ['a size that is not a number', 'x\r\n'],
  ['a size with 0x', '0x5\r\nhello\r\n'],
  ['a size with a sign', '+5\r\nhello\r\n'],
  ['a negative size', '-1\r\n'],
  ['a size with a blank in front', ' 5\r\nhello\r\n'],
  ['an empty size', '\r\n'],
  ['a size past 2^53', 'fffffffffffffffff\r\n'],
  ['a bare LF after the size', '5\nhello\r\n'],
  ['a bare CR in an extension', '5;a\rb\r\nhello\r\n'],
  ['a bare LF in an extension', '5;a\nhello\r\n'],
  ['data that is longer than its size', '5\r\nhello!\r\n'],
  ['a bare LF after the data', '5\r\nhello\n0\r\n\r\n'],
  ['an extension that is too long', `5;${'a'.repeat(limits.chunkLineBytes)}\r\nhello`],
  ['a folded trailer', '0\r\na: b\r\n c\r\n\r\n'],
  ['a trailer without a name', '0\r\n: b\r\n\r\n'],
  ['a trailer section that is too long', `0\r\na: ${'b'.repeat(limits.trailerBytes)}\r\n\r\n`],
  ['a bare LF after the last chunk', '0\n\n'],
];

t.test('chunks that two parsers could read in two ways are refused, cut at any byte', async (t) => {
  for (const [name, text] of malformed) {
    t.match(read(Framing.CHUNKED, 0, text), { complete: false, refused: true, lasts: 0 }, name);
    for (let cut = 1; cut < Math.min(text.length, 60); cut++) {
      if (!read(Framing.CHUNKED, 0, text, [cut]).refused) t.fail(`${name}, cut at ${cut}`);
    }
  }
});

t.test('any body in any chunks, cut anywhere, arrives as it was', async () => {
  const text = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 6 }),
      fc.array(fc.nat({ max: 300 }), { maxLength: 12 }),
      (pieces, cuts) => {
        const chunks = pieces.filter((piece) => piece !== '');
        const wire = chunks.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
        const whole = `${wire}0\r\n\r\n`;
        const found = read(Framing.CHUNKED, 0, `${whole}next`, cuts);
        if (found.body !== chunks.join('') || found.taken !== whole.length || found.lasts !== 1) {
          throw new Error(JSON.stringify(found));
        }
      },
    ),
  );
});
