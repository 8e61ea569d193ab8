/**
 * A process: one large body over one connection, up or down, at the lowest cost to the CPU that it shares
 * with the origin. Arguments: URL, `download` or `upload`, bytes. Prints a BulkResult.
 */
import { connect } from 'node:net';

export interface BulkResult {
  readonly seconds: number;
}

const blockBytes = 256 * 1024;
const headEnd = '\r\n\r\n';
/** A proxy that says nothing for so long has failed. */
const silenceMs = 30_000;

const [urlText, direction, bytesText] = process.argv.slice(2);
const url = new URL(urlText);
const bytes = Number(bytesText);
const common = `host: ${url.host}\r\nconnection: close\r\n`;
const beganMs = performance.now();
let head = '';
let received = 0;

const socket = connect({
  port: Number(url.port),
  host: url.hostname,
  onread: { buffer: Buffer.allocUnsafeSlow(blockBytes), callback: take },
});
socket.setTimeout(silenceMs, () => fail(`nothing for ${silenceMs} ms`));
socket.on('error', (error) => fail(error.message));
socket.on('close', () => fail('the connection ended'));
if (direction === 'download') {
  socket.write(`GET /${bytes} HTTP/1.1\r\n${common}\r\n`);
} else {
  socket.write(`POST / HTTP/1.1\r\n${common}content-length: ${bytes}\r\n\r\n`);
  send(bytes);
}

function send(left: number): void {
  const block = Buffer.alloc(blockBytes, '.');
  const next = (): void => {
    if (left === 0) return;
    const size = Math.min(left, blockBytes);
    left -= size;
    socket.write(block.subarray(0, size), next);
  };
  next();
}

/** The head, then as many bytes as are asked for; of an upload, what the origin counted. */
function take(count: number, buffer: Uint8Array): boolean {
  const piece = Buffer.from(buffer.buffer, buffer.byteOffset, count);
  if (direction === 'download' && head.includes(headEnd)) {
    received += count;
  } else {
    head += piece.toString('latin1');
    const end = head.indexOf(headEnd);
    if (end < 0) return true;
    if (!head.startsWith('HTTP/1.1 200')) fail(head.slice(0, head.indexOf('\r\n')));
    received = head.length - end - headEnd.length;
  }
  const isWhole = direction === 'download' ? received === bytes : head.endsWith(`${headEnd}${bytes}`);
  if (isWhole) {
    const result: BulkResult = { seconds: (performance.now() - beganMs) / 1000 };
    process.stdout.write(JSON.stringify(result), () => process.exit());
  }
  return true;
}

function fail(why: string): never {
  process.stderr.write(`Error: ${direction}: ${why}, after ${received} bytes\n`);
  process.exit(1);
}
