/**
 * A process: opens many connections at once, makes one request on each, and ends them. Arguments: URL,
 * connections. For each message it makes one burst, and sends the times from the opening of a connection to
 * the first byte of its answer, in microseconds.
 */
import { connect } from 'node:net';

const [urlText, countText] = process.argv.slice(2);
const url = new URL(urlText);
const head = `GET / HTTP/1.1\r\nhost: ${url.host}\r\nconnection: close\r\n\r\n`;
const count = Number(countText);

function burst(): void {
  const timesUs: number[] = [];
  for (let i = 0; i < count; i++) {
    const beganMs = performance.now();
    const socket = connect({ port: Number(url.port), host: url.hostname, noDelay: true });
    socket.write(head);
    socket.once('data', () => {
      timesUs.push((performance.now() - beganMs) * 1000);
      if (timesUs.length === count) process.send!(timesUs);
    });
    socket.on('error', (error) => {
      process.stderr.write(`Error: a connection failed: ${error.message}\n`);
      process.exit(1);
    });
  }
}

process.on('message', burst);
process.on('disconnect', () => process.exit());
