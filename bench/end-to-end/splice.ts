/**
 * A process: what a proxy in Node can't be cheaper than. Each client's connection has one to the origin, and
 * bytes go from one to the other through one reused buffer: a read and a write each way, and nothing is
 * looked at. Argument: the origin's port. Prints its own.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { writeNow } from '../../core/write-now.js';
import { handleOf, socketOn } from '../../workers/downstream/node/accepted-handle.js';

const origin = Number(process.argv[2]);
const buffer = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * What is read for the other end goes there at once; what the kernel does not take at once ends the
 * connection.
 */
function into(to: () => Socket | null) {
  return {
    buffer,
    callback: (bytes: number): boolean => {
      const socket = to();
      if (socket !== null && writeNow(socket, buffer, 0, bytes) < bytes) socket.destroy();
      return true;
    },
  };
}

const server = createServer({ pauseOnConnect: true }, (accepted) => {
  let client: Socket | null = null;
  const onread = into(() => client);
  const upstream: Socket = connect({ port: origin, host: '127.0.0.1', noDelay: true, onread });
  upstream.on('error', () => {}).on('close', () => (client ?? accepted).destroy());
  upstream.on('connect', () => {
    const handle = handleOf(accepted);
    if (handle === null) return;
    client = socketOn(
      handle,
      into(() => upstream),
    );
    client.setNoDelay(true);
    client.on('error', () => {}).on('close', () => upstream.destroy());
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`ready ${(server.address() as AddressInfo).port}`);
});
