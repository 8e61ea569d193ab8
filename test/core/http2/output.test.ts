import { Flag, FrameType } from '../../../core/http2/frame.js';
import { Output } from '../../../core/http2/output.js';
import { WriteArena } from '../../../core/upstream/write-arena.js';
import t from '../../support/tap.js';
import { frame, ListTarget } from './session-side.js';

const piece = Buffer.alloc(20_000, 'x');

t.test(
  'the latest frame ends its stream while it has not left, also in front of a borrowed piece',
  async (t) => {
    const output = new Output(new WriteArena());
    const target = new ListTarget();
    output.frameHead(piece.length, FrameType.DATA, Flag.NONE, 3);
    output.borrow(piece);
    t.notOk(output.endStream(5), 'the frame is of another stream');
    t.ok(output.endStream(3));
    output.flush(target);
    t.same(target.take(), frame(FrameType.DATA, Flag.END_STREAM, 3, piece));
    t.notOk(output.endStream(3), 'the frame has left');
  },
);

t.test('a frame whose end was copied elsewhere is not changed any more', async (t) => {
  const output = new Output(new WriteArena());
  const target = new ListTarget();
  target.isFull = true;
  output.frameHead(piece.length, FrameType.DATA, Flag.NONE, 3);
  output.borrow(piece);
  output.settle(target);
  t.notOk(output.endStream(3));
  output.flush(target);
  t.same(target.take(), frame(FrameType.DATA, Flag.NONE, 3, piece));
});

t.test('an output without blocks is broken, and takes no more', async (t) => {
  const output = new Output(new WriteArena(0));
  output.frameHead(0, FrameType.SETTINGS, Flag.ACK, 0);
  t.ok(output.isBroken);
  t.equal(output.heldBytes, 0);
});
