import fc from 'fast-check';
import { PREFACE } from '../../../core/http2/frame.js';
import { FrameReader, type FrameSink } from '../../../core/http2/frame-reader.js';
import t from '../../support/tap.js';
import { frame, get, post, ServerSide, settingsFrame, uint32 } from './session-side.js';

/** What a reader hands out of `bytes` that come in pieces; pieces of DATA are joined. */
function read(bytes: Buffer, cuts: readonly number[]): string[] {
  const log: string[] = [];
  let data = '';
  let isOver = false;
  const sink: FrameSink = {
    get isOver() {
      return isOver;
    },
    onFrame: (type, flags, stream, from, start, end) =>
      log.push(`${type} ${flags} ${stream} ${from.toString('latin1', start, end)}`),
    onDataHead: (flags, stream, length) => log.push(`data ${flags} ${stream} ${length}`),
    onDataPiece: (from, start, end, last) => {
      data += from.toString('latin1', start, end);
      if (last) log.push(data);
      if (last) data = '';
    },
    onBadFrame: (code) => {
      log.push(`bad ${code}`);
      isOver = true;
    },
  };
  const reader = new FrameReader(sink, false);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // Each piece lies in memory of its own, which is overwritten after the call.
    const piece = Buffer.from(bytes.subarray(from, cut));
    reader.feed(piece, 0, piece.length);
    piece.fill(0xee);
    from = cut;
  }
  return log;
}

const anyFrame = fc
  .record({
    type: fc.oneof(fc.nat({ max: 11 }), fc.nat({ max: 255 })),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 9, 13, 32, 255),
    stream: fc.nat({ max: 9 }),
    payload: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ type, flags, stream, payload }) => frame(type, flags, stream, Buffer.from(payload)));

t.test('frames are the same wherever reads end', async () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.nat({ max: 400 })), (frames, anywhere) => {
      const bytes = Buffer.concat([PREFACE, ...frames]);
      const cuts = anywhere.filter((cut) => cut <= bytes.length).sort((a, b) => a - b);
      const everywhere = Array.from({ length: bytes.length }, (_, at) => at);
      const whole = JSON.stringify(read(bytes, []));
      return whole === JSON.stringify(read(bytes, cuts)) && whole === JSON.stringify(read(bytes, everywhere));
    }),
    { numRuns: 200 },
  );
});

t.test('a whole conversation has the same events and answers wherever reads end', async (t) => {
  const bytesOf = (side: ServerSide): Buffer =>
    Buffer.concat([
      PREFACE,
      settingsFrame([4, 100]),
      side.headers(1, [...get, ['cookie', 'a=1'], ['cookie', 'b=2']]),
      side.headers(3, [...post, ['content-length', '5']], false),
      frame(0, 8, 3, Buffer.from('\x03hello\0\0\0')),
      frame(6, 0, 0, Buffer.from('12345678')),
      frame(0x77, 0, 3, Buffer.alloc(30)),
      frame(0, 1, 3),
      frame(8, 0, 0, uint32(77)),
      frame(3, 0, 1, uint32(8)),
      frame(7, 0, 0, uint32(0, 0)),
    ]);
  const whole = new ServerSide();
  const sent = whole.feed(bytesOf(whole));
  const bytes = bytesOf(new ServerSide());
  for (let size = 1; size < 40; size++) {
    const side = new ServerSide();
    const answers: string[] = [];
    for (let at = 0; at < bytes.length; at += size) answers.push(...side.feed(bytes.subarray(at, at + size)));
    const joined = (log: readonly string[]): string =>
      log.join('\n').replaceAll(/\n3 data (\w+)(?=\n3 (?:data|last))/g, '$1');
    t.equal(joined(side.log), joined(whole.log), `pieces of ${size}`);
    t.strictSame(answers, sent);
  }
});
