import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import {
  type AcceptedHandle,
  acceptHandles,
  socketOn,
} from '../../../../workers/downstream/node/accepted-handle.js';
import t from '../../../support/tap.js';

t.test('a listening server hands over handles, which become sockets that read into our buffer', async (t) => {
  const server = createServer({ pauseOnConnect: true }, () => t.fail('Node made a socket'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const accepted = new Promise<AcceptedHandle>((resolve) => acceptHandles(server, resolve));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.teardown(() => client.destroy());
  client.end('hello');
  const buffer = Buffer.alloc(16);
  const socket = await new Promise<Socket>((resolve) => {
    accepted.then((handle) => {
      const opened = socketOn(handle, {
        buffer,
        callback: (bytes) => {
          t.equal(buffer.toString('latin1', 0, bytes), 'hello');
          return true;
        },
      });
      opened.on('end', () => resolve(opened));
    });
  });
  t.equal(socket.remotePort, client.localPort);
  t.equal(socket.writable, true, 'our side stays open');
  socket.end('bye');
  const [answer] = await once(client, 'data');
  t.equal(String(answer), 'bye');
});

t.test('an error of accepting is an event of the server, as it was', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  acceptHandles(server, () => t.fail('there is no connection'));
  const failed = once(server, 'error');
  const { _handle } = server as unknown as { _handle: { onconnection(error: number): void } };
  _handle.onconnection(-24);
  const [error] = await failed;
  t.equal(error.code, 'EMFILE');
});
