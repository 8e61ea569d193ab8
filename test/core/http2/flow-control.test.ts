import fc from 'fast-check';
import { Sent } from '../../../core/http2/sender.js';
import { Setting } from '../../../core/http2/settings.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { frame, get, post, ServerSide, settingsFrame, uint32, Wire } from './session-side.js';

const WINDOW = 65_535;

function answering(ids: readonly number[], ...settings: [number, number][]): ServerSide {
  const side = new ServerSide().greeted(...settings);
  for (const id of ids) {
    side.feed(side.headers(id, get));
    side.session.sendAnswer(side.stream(id), 200, '', false);
  }
  side.sent();
  side.events();
  return side;
}

const data = (sent: readonly string[]): string[] => sent.filter((text) => text.startsWith('DATA'));
const bytesOf = (sent: readonly string[]): number =>
  data(sent).reduce((sum, text) => sum + Number(text.split(' ')[2]), 0);

t.test('a body waits for the window of its stream, and its end behind it', async (t) => {
  const side = answering([1], [Setting.INITIAL_WINDOW_SIZE, 10]);
  t.equal(side.session.write(side.stream(1), Buffer.alloc(25), false), Sent.HELD);
  t.strictSame(data(side.sent()), ['DATA 1 10']);
  t.equal(side.stream(1).heldBytes, 15);
  side.session.writeTrailers(side.stream(1), 'a: b\r\n');
  t.strictSame(side.feed(frame(8, 0, 1, uint32(10))), ['DATA 1 10']);
  t.strictSame(side.feed(frame(8, 0, 1, uint32(100))), ['DATA 1 5', 'HEADERS 1 a=b end']);
  t.strictSame(side.events(), ['1 closed'], 'nobody is asked for more of a body that is whole');
});

t.test('a writer that was held back is asked for more when all of it is gone', async (t) => {
  const side = answering([1], [Setting.INITIAL_WINDOW_SIZE, 4]);
  t.equal(side.session.write(side.stream(1), Buffer.alloc(6), false), Sent.HELD);
  side.feed(frame(8, 0, 1, uint32(1)));
  t.strictSame(side.events(), []);
  side.feed(frame(8, 0, 1, uint32(1)));
  t.strictSame(side.events(), ['1 writable']);
  side.feed(frame(8, 0, 1, uint32(9)));
  t.equal(side.session.write(side.stream(1), Buffer.alloc(6), true), Sent.OK);
});

t.test('a stream knows since when it waits, and every byte that goes begins the time again', async (t) => {
  const side = answering([1], [Setting.INITIAL_WINDOW_SIZE, 4]);
  side.nowUs = 7;
  side.session.write(side.stream(1), Buffer.alloc(4), false);
  t.equal(side.stream(1).blockedSinceUs, 0);
  side.session.write(side.stream(1), Buffer.alloc(9), true);
  t.equal(side.stream(1).blockedSinceUs, 7);
  side.nowUs = 8;
  side.feed(frame(8, 0, 1, uint32(4)));
  t.equal(side.stream(1).blockedSinceUs, 8);
  side.feed(frame(8, 0, 1, uint32(5)));
  t.equal(side.stream(1).blockedSinceUs, 0);
});

t.test('streams take turns within the window of the connection, frame by frame', async (t) => {
  const side = answering([1, 3, 5], [Setting.INITIAL_WINDOW_SIZE, 1_000_000]);
  for (const id of [1, 3, 5]) side.session.write(side.stream(id), Buffer.alloc(100_000), true);
  t.equal(bytesOf(side.sent()), WINDOW);
  const sent = data(side.feed(frame(8, 0, 0, uint32(5 * 16_384))));
  t.strictSame(
    sent.map((text) => text.split(' ')[1]),
    ['1', '3', '5', '1', '3'],
  );
  const rest = data(side.feed(frame(8, 0, 0, uint32(1_000_000))));
  t.strictSame(
    rest.slice(0, 4).map((text) => text.split(' ')[1]),
    ['5', '1', '3', '5'],
  );
  t.equal(side.session.open, 0);
});

t.test(
  'a setting makes windows smaller than zero, and later ones open them again (section 6.9.2)',
  async (t) => {
    const side = answering([1], [Setting.INITIAL_WINDOW_SIZE, 100]);
    side.session.write(side.stream(1), Buffer.alloc(80), false);
    side.sent();
    side.feed(settingsFrame([Setting.INITIAL_WINDOW_SIZE, 20]));
    t.equal(side.stream(1).sendWindow, -60);
    t.equal(side.session.write(side.stream(1), Buffer.alloc(5), true), Sent.OK);
    t.strictSame(data(side.feed(frame(8, 0, 1, uint32(60)))), []);
    t.strictSame(data(side.feed(settingsFrame([Setting.INITIAL_WINDOW_SIZE, 23]))), ['DATA 1 3']);
    t.strictSame(data(side.feed(frame(8, 0, 1, uint32(9)))), ['DATA 1 2 end']);
  },
);

t.test('what was taken is given back by halves of the windows', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, post, false));
  const piece = frame(0, 0, 1, Buffer.alloc(16_384));
  let sent: string[] = [];
  for (let i = 0; i < 32; i++) sent = [...sent, ...side.feed(piece)];
  t.strictSame(sent, [
    'WINDOW_UPDATE 1 131072',
    'WINDOW_UPDATE 1 131072',
    'WINDOW_UPDATE 1 131072',
    'WINDOW_UPDATE 0 524288',
    'WINDOW_UPDATE 1 131072',
  ]);
});

t.test('a consumer that takes nothing withholds the window of its stream alone', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, post, false), side.headers(3, post, false));
  side.session.pause(side.stream(1));
  const pieces = (id: number, count: number): Buffer[] =>
    Array.from({ length: count }, () => frame(0, 0, id, Buffer.alloc(16_384)));
  t.strictSame(side.feed(...pieces(1, 16)), [], 'the whole window');
  t.strictSame(side.feed(...pieces(3, 16)), [
    'WINDOW_UPDATE 3 131072',
    'WINDOW_UPDATE 0 524288',
    'WINDOW_UPDATE 3 131072',
  ]);
  side.session.resume(side.stream(1));
  t.strictSame(side.sent(), ['WINDOW_UPDATE 1 262144']);
  side.session.pause(side.stream(1));
  t.strictSame(side.feed(...pieces(1, 17)).at(-1), 'RST_STREAM 1 FLOW_CONTROL_ERROR');
});

t.test('padding counts in both windows', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, post, false));
  const padded = frame(0, 8, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]));
  let sent: string[] = [];
  for (let i = 0; i < 512; i++) sent = [...sent, ...side.feed(padded)];
  t.strictSame(sent, ['WINDOW_UPDATE 1 131072']);
});

t.test('while the socket takes nothing, bodies wait in their streams', async (t) => {
  const side = answering([1], [Setting.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]);
  side.feed(frame(8, 0, 0, uint32(2 ** 30)));
  side.target.isFull = true;
  const piece = Buffer.alloc(64 * 1024);
  let result: number = Sent.OK;
  for (let i = 0; i < 10 && result === Sent.OK; i++) {
    result = side.session.write(side.stream(1), piece, false);
    side.session.flush();
  }
  t.equal(result, Sent.HELD);
  t.ok(side.arena.heldBytes <= limits.http2WriteAheadBytes + 2 * limits.writeBlockBytes);
  side.target.isFull = false;
  side.target.writing = false;
  side.sent();
  t.strictSame(side.events(), ['1 writable']);
  t.equal(side.arena.heldBytes, 0);
});

t.test('bodies of any size arrive whole and in order, through any windows and settings', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write'), stream: fc.nat({ max: 3 }), bytes: fc.nat({ max: 90_000 }) }),
    fc.record({ kind: fc.constant('window'), stream: fc.constant(0), bytes: fc.nat({ max: 100_000 }) }),
    fc.record({ kind: fc.constant('pause'), stream: fc.nat({ max: 3 }), bytes: fc.constant(0) }),
    fc.record({ kind: fc.constant('resume'), stream: fc.nat({ max: 3 }), bytes: fc.constant(0) }),
    fc.record({ kind: fc.constant('run'), stream: fc.constant(0), bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const wire = new Wire();
      wire.run();
      const sinks = [0, 1, 2, 3].map(() => wire.client.request());
      wire.run();
      const written = [0, 0, 0, 0];
      for (const sink of sinks)
        wire.server.session.sendAnswer(wire.server.stream(sink.stream!.id), 200, '', false);
      for (const { kind, stream, bytes } of steps) {
        const sink = sinks[stream]!;
        if (kind === 'write') {
          const piece = Buffer.alloc(bytes, 97 + (written[stream]! % 26));
          wire.server.session.write(wire.server.stream(sink.stream!.id), piece, false);
          written[stream]! += bytes;
        } else if (kind === 'window') {
          const settings = settingsFrame([Setting.INITIAL_WINDOW_SIZE, bytes]);
          wire.server.session.receive(settings, 0, settings.length);
        } else if (kind === 'pause') wire.client.session.pause(sink.stream!);
        else if (kind === 'resume') wire.client.session.resume(sink.stream!);
        else wire.run();
        // No window is ever overrun: the other side would say so.
        if (wire.client.session.isOver || wire.server.session.isOver) return false;
      }
      const large = settingsFrame([Setting.INITIAL_WINDOW_SIZE, limits.http2StreamWindowBytes]);
      wire.server.session.receive(large, 0, large.length);
      for (const sink of sinks) {
        wire.client.session.resume(sink.stream!);
        wire.server.session.write(wire.server.stream(sink.stream!.id), Buffer.alloc(0), true);
      }
      wire.run();
      const areWhole = sinks.every((sink, i) => sink.ended && sink.body.length === written[i]);
      return areWhole && wire.server.session.open === 0 && wire.server.arena.heldBytes === 0;
    }),
    { numRuns: 60 },
  );
});
