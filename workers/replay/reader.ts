/**
 * The thread that reads recordings for a replay: unpacks, parses, filters and schedules requests and packs them ready to go, a few
 * blocks ahead. The thread that sends has its sockets and its clock to look after, and a request must not be late for the next one's sake.
 */
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type RecordedExchange, readExchanges, readMessages } from '../../core/recording/reader.js';
import type { Skipped } from '../../core/recording/recorded.js';
import { type Filter, parseFilter, parseOrder } from '../../core/replay/filter.js';
import { scheduled } from '../../core/replay/pace.js';
import { RequestPacker } from '../../core/replay/packed.js';
import type { FromReader, ReadJob } from './reading.js';

/** A block is sent when it has so many bytes, or so many requests. */
const blockBytes = 192 * 1024;
const blockRequests = 1024;

const job = workerData as ReadJob;
const bytesInAll = Math.max(
  1,
  job.files.reduce((sum, { bytes }) => sum + bytes, 0),
);
let bytesRead = 0;
const filters = job.filters
  .map((text) => parseFilter(text))
  .filter((filter): filter is Filter => filter !== null);
const order = job.order === null ? null : parseOrder(job.order);
const requests = scheduled(exchanges, job.pace, job.loop, (exchange) =>
  filters.every((filter) => filter(exchange)),
);
const packer = new RequestPacker();

parentPort!.on('message', () => {
  readBlock();
});

function readBlock(): void {
  while (packer.count < blockRequests && packer.bytes < blockBytes) {
    const next = requests.next();
    if (next.done === true) {
      sendBlock();
      say({ type: 'ended' });
      parentPort!.close();
      return;
    }
    // Skipped records were told where their file is known.
    if ('reason' in next.value) continue;
    packer.add(next.value, order?.(next.value.exchange) ?? null);
  }
  sendBlock();
}

function sendBlock(): void {
  const { count } = packer;
  if (count === 0) return;
  const block = packer.take();
  say({ type: 'block', block, count, share: Math.min(1, bytesRead / bytesInAll) }, [block]);
}

/** One file after the other. */
function* exchanges(): Generator<RecordedExchange | Skipped> {
  let before = 0;
  for (const { path, descriptor, bytes } of job.files) {
    const readAt = (into: Buffer, position: number): number => {
      const read = readSync(descriptor, into, 0, into.byteLength, position);
      bytesRead = before + Math.min(bytes, position + read);
      return read;
    };
    for (const found of readExchanges(readMessages(readAt))) {
      if ('reason' in found) say({ type: 'skipped', path, offset: found.offset, reason: found.reason });
      else yield found;
    }
    before += bytes;
  }
}

function say(message: FromReader, transfer: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}
