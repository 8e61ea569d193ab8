/**
 * Threads that share one address, as the platform of this run has it, and through copies of one descriptor.
 */
import { readdirSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Address, ListenerPlan } from '../../../../core/plan.js';
import { NodeAcceptor } from '../../../../workers/downstream/node/acceptor.js';
import { Sharing, sharingOf } from '../../../../workers/downstream/node/listening.js';
import { listenerPlan } from '../../../support/listener.js';
import t, { type Test } from '../../../support/tap.js';
import { get, loopback } from '../uws/rig.js';

const file = new URL('./sharing-thread.js', import.meta.url);

/** A thread with a downstream that answers with the thread's name. */
class SharingThread {
  readonly worker: Worker;
  readonly index: number;

  private constructor(worker: Worker, index: number) {
    this.worker = worker;
    this.index = index;
  }

  static async start(acceptor: NodeAcceptor, listener: ListenerPlan, index: number): Promise<SharingThread> {
    const worker = new Worker(file, { workerData: { listener, index } });
    worker.on('error', () => {});
    const descriptor = await new Promise<never>((resolve) => worker.once('message', resolve));
    acceptor.addChild(index, descriptor);
    return new SharingThread(worker, index);
  }

  /** Ends as a thread that fails, without a message. */
  async die(): Promise<void> {
    const gone = new Promise((resolve) => this.worker.once('exit', resolve));
    this.worker.postMessage('die');
    await gone;
  }

  async leave(acceptor: NodeAcceptor): Promise<void> {
    acceptor.removeChild(this.index);
    const gone = new Promise((resolve) => this.worker.once('exit', resolve));
    this.worker.postMessage('leave');
    await gone;
  }
}

function optionsOf(address: Address, port: number): NetConnectOpts {
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port };
}

/** The name of the thread that answers, or the error's code. */
function ask(address: Address, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(optionsOf(address, port));
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
      const name = /<(\d)>/.exec(received)?.[1];
      if (name === undefined) return;
      socket.destroy();
      resolve(name);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.write(get);
  });
}

/** How often each thread answered `count` connections at once. */
async function shares(address: Address, port: number, count: number): Promise<Map<string, number>> {
  const names = await Promise.all(Array.from({ length: count }, () => ask(address, port)));
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

async function sharesOf(t: Test, address: Address): Promise<void> {
  const listener = listenerPlan({ address, engine: 'node' });
  const acceptor = await NodeAcceptor.listen(listener);
  const { port } = acceptor;
  const start = (index: number): Promise<SharingThread> => SharingThread.start(acceptor, listener, index);
  const [first, second] = [await start(0), await start(1)];
  await acceptor.settled();
  const both = await shares(address, port, 200);
  t.strictSame([...both.keys()].sort(), ['0', '1'], `both take connections: ${JSON.stringify([...both])}`);

  await first.die();
  if (sharingOf(address) === Sharing.COPIES) {
    t.strictSame([...(await shares(address, port, 50))], [['1', 50]], 'a thread that died hurts nobody');
    await second.die();
    const early = ask(address, port);
    const third = await start(2);
    t.equal(await early, '2', 'who came while nobody was there is served by the next one');
    await third.leave(acceptor);
  } else {
    await second.leave(acceptor);
  }
  acceptor.close();
  t.match(await ask(address, port), /ECONNREFUSED|ENOENT/);
}

t.test('threads share a port', { skip: process.platform !== 'linux' && 'Linux alone' }, (t) =>
  sharesOf(t, loopback),
);

t.test('threads share a unix socket', { skip: process.platform === 'win32' && 'no unix sockets' }, (t) =>
  sharesOf(t, { kind: 'unix', path: join(tmpdir(), `umbra-sharing-${process.pid}.sock`) }),
);

t.test(
  'threads that come and go leave no descriptor behind',
  { skip: process.platform !== 'linux' && 'Linux alone' },
  async (t) => {
    const address: Address = { kind: 'unix', path: join(tmpdir(), `umbra-copies-${process.pid}.sock`) };
    const listener = listenerPlan({ address, engine: 'node' });
    const acceptor = await NodeAcceptor.listen(listener);
    const open = (): number => readdirSync('/proc/self/fd').length;
    const round = async (index: number): Promise<void> => {
      const thread = await SharingThread.start(acceptor, listener, index);
      await acceptor.settled();
      t.equal(await ask(address, 0), String(index));
      await thread.leave(acceptor);
    };
    await round(0);
    const before = open();
    for (let index = 1; index < 5; index++) await round(index);
    t.equal(open(), before);
    acceptor.close();
  },
);
