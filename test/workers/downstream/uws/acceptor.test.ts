import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Address, ListenerPlan } from '../../../../core/plan.js';
import type { RequestHandler } from '../../../../workers/downstream/downstream.js';
import { UwsAcceptor } from '../../../../workers/downstream/uws/acceptor.js';
import { UwsDownstream } from '../../../../workers/downstream/uws/engine.js';
import { listenerPlan, tlsOf, uwsParts } from '../../../support/listener.js';
import t, { type Test } from '../../../support/tap.js';
import { certificatePem, keyPem } from './certificate.js';
import { Client, get, loopback, noSink, reply, skipWord, uws } from './rig.js';

const options = { skip: skipWord };
async function serve(t: Test, address: Address, files: ListenerPlan['tls'] = null): Promise<UwsAcceptor> {
  const listener = listenerPlan({ address, engine: 'uws', tls: files });
  const acceptor = await UwsAcceptor.listen(uws, listener);
  const handler: RequestHandler = {
    onRequest(head, responder) {
      reply(responder, `${head.secure} ${responder.clientAddress()}`);
      return noSink;
    },
  };
  const downstream = new UwsDownstream(uws, listener, uwsParts(handler));
  acceptor.addChild(downstream.descriptor());
  t.teardown(async () => {
    acceptor.removeChild(downstream.descriptor());
    await downstream.leave();
    acceptor.close();
  });
  return acceptor;
}

/** Short: the path of a unix socket may have about a hundred bytes. */
function temporary(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function ask(socket: net.Socket): Promise<string> {
  const client = new Client(socket);
  client.send(get);
  const { body } = await client.answer();
  client.destroy();
  return body;
}

t.test('port 0 becomes a real port, and a second listener on it is refused', options, async (t) => {
  const { port } = await serve(t, loopback);
  t.ok(port > 0);
  t.equal(await ask(net.connect(port, '127.0.0.1')), 'false 127.0.0.1');
  await t.rejects(UwsAcceptor.listen(uws, listenerPlan({ address: { ...loopback, port }, engine: 'uws' })), {
    message: `cannot listen on 127.0.0.1:${port}: the address is in use`,
  });
});

t.test('a foreign address and an unknown name are reported as such', options, async (t) => {
  await t.rejects(
    UwsAcceptor.listen(
      uws,
      listenerPlan({ address: { kind: 'tcp', host: '192.0.2.1', port: 0 }, engine: 'uws' }),
    ),
    { message: 'cannot listen on 192.0.2.1:0: no interface of this machine has that address' },
  );
});

t.test('IPv6, with IPv4 clients as dotted addresses', options, async (t) => {
  const probe = net.createServer();
  const hasV6 = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(0, '::1', () => probe.close(() => resolve(true)));
  });
  if (!hasV6) return t.pass('# SKIP no IPv6 on this machine');
  const { port } = await serve(t, { kind: 'tcp', host: '::', port: 0 });
  t.equal(await ask(net.connect(port, '::1')), 'false ::1');
  t.equal(await ask(net.connect(port, '127.0.0.1')), 'false 127.0.0.1');
});

t.test('a unix socket serves, keeps others away, and its file goes with it', options, async (t) => {
  const path = join(temporary(t), 'u.sock');
  const acceptor = await serve(t, { kind: 'unix', path });
  t.equal(acceptor.port, 0);
  t.equal(await ask(net.connect(path)), 'false ');
  const listener = listenerPlan({ address: { kind: 'unix', path }, engine: 'uws' });
  await t.rejects(UwsAcceptor.listen(uws, listener), {
    message: `cannot listen on unix:${path}: the address is in use`,
  });
  t.equal(await ask(net.connect(path)), 'false ', 'the first one still serves');
  acceptor.stopListening();
  t.equal(existsSync(path), false);
});

t.test('a unix socket that was left behind is taken over, another file is not', options, async (t) => {
  const directory = temporary(t);
  const path = join(directory, 'left.sock');
  // A process that dies leaves its socket's file.
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  t.equal(spawnSync(process.execPath, ['-e', script]).signal, 'SIGKILL');
  t.equal(existsSync(path), true);
  await serve(t, { kind: 'unix', path });
  t.equal(await ask(net.connect(path)), 'false ');

  const file = join(directory, 'file');
  writeFileSync(file, 'text');
  await t.rejects(
    UwsAcceptor.listen(uws, listenerPlan({ address: { kind: 'unix', path: file }, engine: 'uws' })),
    {
      message: `cannot listen on unix:${file}: a file that is not a socket is there`,
    },
  );
  t.equal(readFileSync(file, 'utf8'), 'text');
});

t.test('a path that is too long for a unix socket is refused', options, async (t) => {
  const path = join(tmpdir(), 'u'.repeat(120));
  await t.rejects(UwsAcceptor.listen(uws, listenerPlan({ address: { kind: 'unix', path }, engine: 'uws' })), {
    message: /the path is longer than \d+ bytes$/,
  });
});

t.test('no directory, no permission', options, async (t) => {
  const path = join(temporary(t), 'none', 'u.sock');
  await t.rejects(UwsAcceptor.listen(uws, listenerPlan({ address: { kind: 'unix', path }, engine: 'uws' })), {
    message: /^cannot listen on unix:.*: (no such directory|permission denied)$/,
  });
});

t.test('stopListening refuses new connections and leaves open ones alone', options, async (t) => {
  const acceptor = await serve(t, loopback);
  const client = new Client(net.connect(acceptor.port, '127.0.0.1'));
  client.send(get);
  await client.answer();
  acceptor.stopListening();
  acceptor.stopListening();
  const late = net.connect(acceptor.port, '127.0.0.1');
  const code = await new Promise((resolve) =>
    late.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)),
  );
  t.equal(code, 'ECONNREFUSED');
  client.send(get);
  t.equal((await client.answer()).status, 200);
  client.destroy();
});

t.test('TLS on both sides of the hand-over', options, async (t) => {
  const directory = temporary(t);
  const files = tlsOf(join(directory, 'cert.pem'), join(directory, 'key.pem'), certificatePem, keyPem);
  writeFileSync(files.cert.path, certificatePem);
  writeFileSync(files.key.path, keyPem);
  const { port } = await serve(t, loopback, files);
  for (let i = 0; i < 3; i++) {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: certificatePem });
    t.equal(await ask(socket), 'true 127.0.0.1');
  }
  await t.rejects(
    UwsAcceptor.listen(
      uws,
      listenerPlan({ address: loopback, engine: 'uws', tls: tlsOf('/none', '/none', '', '') }),
    ),
    { message: /^cannot listen on 127\.0\.0\.1:0: the certificate or key can't be used: / },
  );
});
