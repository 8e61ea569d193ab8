/** A shadow of HTTP/2 that does something else with each request, mostly something wrong. */
import { frame, uint32 } from '../core/http2/session-side.js';
import { hello, type RawHttp2, RawHttp2Server } from '../support/raw-http2.js';
import type { Dice } from './dice.js';

const REFUSED = 7;
const INTERNAL = 2;

/** What is done with a stream whose request is whole; false ends the connection's script. */
type Act = (peer: RawHttp2, stream: number) => boolean;

function sends(...frames: ((peer: RawHttp2, stream: number) => Buffer)[]): Act {
  return (peer, stream) => {
    peer.send(...frames.map((one) => one(peer, stream)));
    return true;
  };
}

const head = (peer: RawHttp2, stream: number): Buffer => peer.headers(stream, [[':status', '200']], false);
const body = (_peer: RawHttp2, stream: number): Buffer => frame(0, 1, stream, Buffer.from('hello'));
const part = (_peer: RawHttp2, stream: number): Buffer => frame(0, 0, stream, Buffer.from('he'));
const reset = (code: number) => (_peer: RawHttp2, stream: number) => frame(3, 0, stream, uint32(code));

const acts: readonly Act[] = [
  sends(head, body),
  sends(head, body),
  sends(head, body),
  sends(reset(REFUSED)),
  sends(reset(INTERNAL)),
  sends(head, part, reset(INTERNAL)),
  sends(head, part),
  () => true,
  (peer, stream) => {
    peer.send(head(peer, stream), body(peer, stream), frame(7, 0, 0, uint32(stream, 0)));
    return false;
  },
  (peer) => {
    peer.send(frame(7, 0, 0, uint32(0, 0)));
    peer.socket.end();
    return false;
  },
  (peer) => {
    peer.socket.resetAndDestroy();
    return false;
  },
  (peer) => {
    peer.send(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
    return false;
  },
];

/** Listens with a dice of its own. */
export function faultyHttp2Shadow(dice: Dice): Promise<RawHttp2Server> {
  return RawHttp2Server.listen(async (peer) => {
    peer.send(hello([4, dice.oneOf([0, 65_535, 1 << 20])], [3, dice.oneOf([1, 100])]));
    peer.send(frame(8, 0, 0, uint32(1 << 30)));
    for (let stream = 1; ; stream += 2) {
      // A copy that ends early makes room for the next one.
      await peer.until(new RegExp(`^((HEADERS|DATA) ${stream} .*end|RST_STREAM ${stream} .*)$`));
      if (!dice.oneOf(acts)(peer, stream)) return;
      // What was seen is not needed any more: a run may be long.
      peer.frames.splice(
        0,
        peer.frames.findIndex((line) => line.includes(` ${stream} `)),
      );
    }
  });
}
