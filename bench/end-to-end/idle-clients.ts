/**
 * A process: opens connections, makes one request on each, and keeps them, silent. Arguments: URL,
 * connections. Sends `{ open }` when all are answered; ends with its channel.
 */
import { connect } from 'node:net';

/** At a time: a burst that overflows the accept queue would measure the kernel's retries. */
const opening = 64;

const [urlText, countText] = process.argv.slice(2);
const url = new URL(urlText);
const head = `GET / HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`;
const count = Number(countText);
let begun = 0;
let open = 0;

function openOne(): void {
  if (begun === count) return;
  begun++;
  const socket = connect(Number(url.port), url.hostname, () => socket.write(head));
  socket.once('data', () => {
    open++;
    if (open === count) process.send!({ open });
    else openOne();
  });
  socket.on('error', (error) => lost(error.message));
  socket.on('close', () => lost('closed by the proxy'));
}

function lost(why: string): never {
  process.stderr.write(`Error: a connection was lost: ${why}\n`);
  process.exit(1);
}

process.on('disconnect', () => process.exit());
for (let i = 0; i < opening; i++) openOne();
