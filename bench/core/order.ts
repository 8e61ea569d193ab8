/** What the key of `order` costs a proxy thread for each copy, beside a copy in no order. */
import { Framing, RequestHead } from '../../core/http/message.js';
import { CopySource } from '../../core/mirror/codec.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import { HeldBack } from '../../core/mirror/held-back.js';
import { Mirror, type MirrorCopy, MirrorOffer } from '../../core/mirror/offer.js';
import { MirrorPort } from '../../core/mirror/port.js';
import type { OrderPlan } from '../../core/plan.js';
import { MirrorCounters } from '../../core/record/mirror-counters.js';
import { createDoorbell, Doorbell } from '../../core/ring/doorbell.js';
import { createRing } from '../../core/ring/layout.js';
import { RingReader } from '../../core/ring/reader.js';
import { RingWriter } from '../../core/ring/writer.js';
import { Sampler } from '../../core/route/sampler.js';
import { mirrorPlan } from '../../test/core/route/support.js';
import { measured, printTable } from './measure.js';

const TURN = 64;
const client = { clientAddress: () => '203.0.113.7', connectionKey: () => 7 };
const head = Object.assign(new RequestHead(), {
  target: '/reviews/42?page=3',
  host: 'reviews.example.com',
  framing: Framing.NONE,
  fields: [
    'user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
    'accept-language: en-US,en;q=0.5',
    'accept-encoding: gzip, deflate, br',
    'x-user: 4cf1b2a07d31',
    'cookie: theme=dark; session=4cf1b2a07d31; lang=en',
  ]
    .map((line) => `${line}\r\n`)
    .join(''),
});

function offering(order: Pick<OrderPlan, 'by' | 'name'> | null): (times: number) => number {
  const plan = mirrorPlan({ order: order === null ? null : { ...order, target: 1 } });
  const mirrors = [new Mirror(plan, new MirrorCounters(MirrorCounters.create()))];
  const ring = createRing(1024 * 1024);
  const reader = new RingReader(ring);
  const port = new MirrorPort(new RingWriter(ring, new Doorbell(createDoorbell())), () => {});
  const offer = new MirrorOffer(
    [port],
    [new FullSlots(FullSlots.create())],
    new Sampler('umbra', () => 0),
    new HeldBack(HeldBack.create()),
  );
  const source = new CopySource();
  const copies: MirrorCopy[] = [];
  return (times) => {
    let taken = 0;
    for (let i = 0; i < times; i++) {
      source.take(head);
      taken += offer.offer(mirrors, head, source, source, client, copies);
      if (i % TURN !== 0) continue;
      port.flush();
      while (reader.drain({ onFrame() {} }, TURN) > 0);
    }
    return taken;
  };
}

printTable('a copy on the proxy thread, into the ring and read', [
  measured('order: client', offering({ by: 'client', name: '' })),
  measured('order: connection', offering({ by: 'connection', name: '' })),
  measured('order: header:x-user', offering({ by: 'header', name: 'x-user' })),
  measured('order: cookie:session', offering({ by: 'cookie', name: 'session' })),
  measured('order: off', offering(null)),
]);
