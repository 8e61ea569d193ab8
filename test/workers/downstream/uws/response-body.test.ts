import { Framing } from '../../../../core/http/message.js';
import type { ResponseHead } from '../../../../core/http/response-head.js';
import type { UwsResponse } from '../../../../workers/downstream/uws/binding.js';
import { Offer, ResponseBody } from '../../../../workers/downstream/uws/response-body.js';
import t from '../../../support/tap.js';

/** Takes as much as it has room for, as uWS does on a socket whose kernel buffer is nearly full. */
class SlowResponse {
  room = 0;
  taken = '';

  tryEnd(bytes: Uint8Array, total: number): [ok: boolean, complete: boolean] {
    const count = Math.min(this.room, bytes.length);
    this.taken += Buffer.from(bytes.subarray(0, count)).toString('latin1');
    this.room -= count;
    return [count === bytes.length, this.taken.length === total];
  }

  getWriteOffset(): number {
    return this.taken.length;
  }

  /** All or, before the next turn, nothing: what does not go out is kept, as uWS does. */
  write(bytes: Uint8Array): boolean {
    this.taken += Buffer.from(bytes).toString('latin1');
    this.room -= bytes.length;
    return this.room >= 0;
  }
}

for (const framing of [Framing.LENGTH, Framing.CHUNKED]) {
  t.test(
    `what uWS did not take is a copy, framing ${framing}: the read buffer it came in serves others`,
    async (t) => {
      // A Buffer, as the upstream's reader gives, and not a plain Uint8Array: their `slice` differ.
      const readBuffer = Buffer.alloc(4096);
      const body = new ResponseBody();
      const slow = new SlowResponse();
      const res = slow as unknown as UwsResponse;
      body.reset();
      body.begin({ bodyless: false, hasContentLength: true, contentLength: 8192, framing } as ResponseHead);
      slow.room = 1000;
      t.equal(body.send(res, readBuffer.fill('a')), Offer.FULL);
      t.equal(body.send(res, readBuffer.fill('b')), Offer.FULL);
      readBuffer.fill('x');
      slow.room = 1_000_000;
      body.resume(res);
      const whole = 'a'.repeat(4096) + 'b'.repeat(4096);
      t.ok(
        slow.taken === whole,
        `${slow.taken.length} bytes, with ${slow.taken.split('x').length - 1} strange ones`,
      );
    },
  );
}
