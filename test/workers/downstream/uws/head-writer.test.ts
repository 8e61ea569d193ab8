import type { ResponseHead } from '../../../../core/http/response-head.js';
import { ResponseReader } from '../../../../core/http/response-reader.js';
import type { UwsResponse } from '../../../../workers/downstream/uws/binding.js';
import { HeadWriter, HeldHead } from '../../../../workers/downstream/uws/head-writer.js';
import t from '../../../support/tap.js';

/** The one line that the writer hands to uWS for `head` behind an interim response. */
function behindInterim(writer: HeadWriter, head: string): string {
  let line = '';
  const held = new HeldHead();
  const text = (bytes: Uint8Array | string): string => Buffer.from(bytes as Uint8Array).toString('latin1');
  const res = {
    writeHeader: (name: Uint8Array | string, value: Uint8Array | string) => {
      line = `${text(name)}: ${text(value)}`;
      return res;
    },
  } as UwsResponse;
  const sink = {
    onInterim: () => {},
    onHead: (read: ResponseHead) => {
      writer.hold(read, held);
      writer.writeHeld(res, held, true);
    },
    onBody: () => {},
    onTrailers: () => {},
    onEnd: () => {},
  };
  const reader = new ResponseReader(sink);
  reader.reset(sink, false);
  const bytes = Buffer.from(`${head}\r\n\r\n`, 'latin1');
  reader.feed(bytes, 0, bytes.length);
  return line;
}

// Found by `npm run fuzz`: the thread died of it.
t.test(
  'a head whose last value is empty ends where it ends, whatever the one before it left in the buffer',
  async (t) => {
    const writer = new HeadWriter();
    behindInterim(writer, `HTTP/1.1 200 OK\r\nx: a${' '.repeat(100)}b`);
    t.equal(behindInterim(writer, 'HTTP/1.1 200 OK\r\na:'), 'HTTP/1.1 200 OK\r\na: ');
    behindInterim(writer, `HTTP/1.1 200 OK\r\nx:${' '.repeat(100)}b`);
    t.equal(behindInterim(writer, 'HTTP/1.1 200 OK\r\na:'), 'HTTP/1.1 200 OK\r\na: ');
  },
);
