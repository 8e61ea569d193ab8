// Runs over one engine: the node engine alone takes sockets that are open.
/** Sockets that systemd opened: a holder that listens and never accepts stands for it. */
import { spawnSync } from 'node:child_process';
import { closeSync, lstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../core/limits.js';
import type { Address } from '../../core/plan.js';
import { DescriptorCopies } from '../../workers/downstream/node/descriptor-copies.js';
import { ask, RawClient } from '../support/client.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess } from '../support/umbra.js';

const skip = process.platform !== 'linux' && 'systemd is on Linux alone';
const tcp: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };

class HeldSocket {
  readonly port: number;
  readonly #copies: DescriptorCopies;

  private constructor(copies: DescriptorCopies) {
    this.#copies = copies;
    this.port = copies.port;
  }

  static async open(t: Test, address: Address): Promise<HeldSocket> {
    const copies = await DescriptorCopies.bind(address);
    t.teardown(() => copies.close());
    // One socket, whichever of its descriptors listens.
    const server = createServer().listen({ fd: await copies.take() });
    await new Promise((resolve) => server.once('listening', resolve));
    server.close();
    return new HeldSocket(copies);
  }

  /** A descriptor to pass on. */
  fd(): Promise<number> {
    return this.#copies.take();
  }
}

/** A path of a unix socket may have some hundred bytes. */
function shortDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

function statusOver(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ socketPath }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

/** How many connections may wait on a listening port; infinity where nothing here can say it. */
function queueOf(port: number): number {
  const { stdout, status } = spawnSync('ss', ['-Hltn', `sport = :${port}`], { encoding: 'utf8' });
  return status === 0 ? Number(stdout.trim().split(/\s+/)[2]) : Number.POSITIVE_INFINITY;
}

function somaxconn(): number {
  return Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
}

const on = (...addresses: string[]) => ({
  umbra: { threads: twoProxies, listen: addresses.map((address) => ({ address })) },
});

t.test(
  'listeners take the sockets that are passed for their addresses, and open the others',
  { skip },
  async (t) => {
    const v1 = await Origin.listen();
    const path = join(shortDirectory(t), 'umbra.sock');
    const held = [await HeldSocket.open(t, tcp), await HeldSocket.open(t, { kind: 'unix', path })];
    const { ino } = lstatSync(path);
    const fds = await Promise.all(held.map((socket) => socket.fd()));
    const config = reviews(v1.port, null, on('127.0.0.1:0', `unix:${path}`, `127.0.0.1:${held[0].port}`));
    const umbra = await UmbraProcess.startWithSockets(config, fds, 'web.socket:local');
    t.match(umbra.out, `,unix:${path},http://127.0.0.1:${held[0].port} `);
    t.equal((await ask(umbra.port)).status, 200);
    t.equal((await ask(held[0].port)).status, 200);
    t.equal(await statusOver(path), 200);
    for (const port of [umbra.port, held[0].port]) {
      t.ok(queueOf(port) >= Math.min(limits.acceptQueue, somaxconn()), 'and none keeps a queue of 511');
    }
    t.equal((await umbra.stop()).code, 0);
    t.equal(lstatSync(path).ino, ino, 'the file of a unix socket is left alone');
    await v1.close();
  },
);

t.test('what connects before the start and over a restart waits, and is answered', { skip }, async (t) => {
  const v1 = await Origin.listen();
  const held = await HeldSocket.open(t, tcp);
  const config = reviews(v1.port, null, on(`127.0.0.1:${held.port}`));
  for (const round of ['before the start', 'over a restart']) {
    const client = await RawClient.connect(held.port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    const umbra = await UmbraProcess.startWithSockets(config, [await held.fd()]);
    await client.until('HTTP/1.1 200 OK');
    t.pass(round);
    client.close();
    await umbra.stop();
  }
  await v1.close();
});

t.test('sockets that are meant for another process are not touched', { skip }, async (t) => {
  const v1 = await Origin.listen();
  process.env.LISTEN_PID = '1';
  process.env.LISTEN_FDS = '1';
  t.teardown(() => {
    delete process.env.LISTEN_PID;
    delete process.env.LISTEN_FDS;
  });
  const umbra = await UmbraProcess.start(reviews(v1.port, null));
  t.equal((await ask(umbra.port)).status, 200);
  await umbra.stop();
  await v1.close();
});

t.test('what can not be served is one line that says which socket, and why', { skip }, async (t) => {
  const held = await HeldSocket.open(t, tcp);
  const mine = `127.0.0.1:${held.port}`;
  const file = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(file));
  const uws = { umbra: { listen: [{ address: mine, engine: 'uws' }] } };
  const fd = await held.fd();
  for (const [changes, fds, names, why] of [
    [
      on('127.0.0.1:0'),
      [fd],
      'web.socket',
      `LISTEN_FDS passes ${mine} (descriptor 3, web.socket), which is the address of no listener`,
    ],
    [
      on(mine),
      [fd, fd],
      null,
      `LISTEN_FDS passes ${mine} (descriptor 4), which is the address of no listener`,
    ],
    [on(mine), [fd], 'a:b', 'LISTEN_FDNAMES has 2 names for the 1 sockets of LISTEN_FDS'],
    [
      on(mine),
      [file],
      null,
      'LISTEN_FDS passes what is no listening stream socket of this network namespace: descriptor 3',
    ],
    [
      uws,
      [fd],
      null,
      `uWebSockets.js can't listen on a socket that is open already, and LISTEN_FDS passes ${mine}. Set engine: node`,
    ],
  ] as const) {
    const started = UmbraProcess.startWithSockets(reviews(1, null, changes), fds, names);
    await t.rejects(started, { message: `umbra: ${why}` }, why);
  }
});
