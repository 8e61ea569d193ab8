/**
 * The thread that reads recordings for a replay: it puts the requests of all files into the order of their
 * times, unpacks, parses and schedules them, and packs them ready to go, a few blocks ahead. The thread that
 * sends has its sockets and its clock to look after, and a request must not be late for the next one's sake.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { parseOrder } from '../../core/replay/filter.js';
import { schedule } from '../../core/replay/pace.js';
import { RequestPacker } from '../../core/replay/packed.js';
import { editedRequest } from '../../core/replay/request-edits.js';
import type { FromReader, ReadJob } from './reading.js';
import { RecordedTimeline } from './recorded-timeline.js';

/**
 * A block is sent when it has so many bytes, or so many requests: with responses to compare, 1,024 requests
 * are more than a megabyte, and what is read ahead must last while this thread waits for its core.
 */
const blockBytes = 2 * 1024 * 1024;
const blockRequests = 1024;
const progressMs = 100;

const job = workerData as ReadJob;
const order = job.order === null ? null : parseOrder(job.order);
const timeline = new RecordedTimeline(job.files, job.filters);
index();
const requests = schedule(() => timeline.exchanges(), job.pace, job.loop);
const packer = new RequestPacker();

parentPort!.on('message', () => readBlock());

function index(): void {
  let toldMs = performance.now();
  for (const found of timeline.index()) {
    if (found !== null) say({ type: 'skipped', path: found.path, ...found.skipped });
    if (performance.now() - toldMs < progressMs) continue;
    toldMs = performance.now();
    say({ type: 'indexing', share: timeline.readShare });
  }
  say({ type: 'indexed', requests: timeline.requests });
}

function readBlock(): void {
  while (packer.count < blockRequests && packer.bytes < blockBytes) {
    const next = requests.next();
    if (next.done === true) {
      sendBlock();
      say({ type: 'ended' });
      parentPort!.close();
      return;
    }
    const { exchange, afterUs } = next.value;
    const edited = { ...exchange, request: editedRequest(exchange.request, job.edits) };
    packer.add({ exchange: edited, afterUs }, order?.(exchange) ?? null);
  }
  sendBlock();
}

function sendBlock(): void {
  const { count } = packer;
  if (count === 0) return;
  const block = packer.take();
  say({ type: 'block', block, count }, [block]);
}

function say(message: FromReader, transfer: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}
