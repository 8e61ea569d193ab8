// Runs over both engines.
/** A process that runs out of file descriptors, and gets some back. */
import { readdirSync, readFileSync } from 'node:fs';
import { ask, RawClient } from '../support/client.js';
import { missing, runWell } from '../support/command.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

/** Descriptors that are left to umbra, and clients that come. */
const descriptorsLeft = 40;
const clientsMax = 100;

async function limitDescriptors(pid: number): Promise<void> {
  const limit = readdirSync(`/proc/${pid}/fd`).length + descriptorsLeft;
  await runWell('prlimit', ['--pid', String(pid), `--nofile=${limit}:${limit}`]);
}

/** CPU time of a process in clock ticks of 10 ms. */
function cpuTicks(pid: number): number {
  const [utime, stime] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13);
  return Number(utime) + Number(stime);
}

t.test(
  'without descriptors new clients are refused, the admin server answers, nothing spins, and it recovers',
  { skip: process.platform !== 'linux' ? 'reads /proc' : missing('prlimit') },
  async (t) => {
    const [v1, v2] = [await Origin.listen(), await Origin.listen()];
    const umbra = await UmbraProcess.start(reviews(v1.port, v2.port, { umbra: { threads: twoProxies } }));
    const clients: RawClient[] = [];
    t.teardown(async () => {
      for (const { socket } of clients) socket.destroy();
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
    });
    await Promise.all(Array.from({ length: 16 }, () => ask(umbra.port)));
    await limitDescriptors(umbra.pid);
    for (let i = 0; i < clientsMax; i++) clients.push(await RawClient.connect(umbra.port));
    await umbra.logged(/out of file descriptors \(EMFILE\)/);
    t.equal((await umbra.admin('GET', '/healthz')).status, 200);
    t.match(await umbra.metrics(), /umbra_descriptor_shortages_total\{thread="control"\} 1/);
    // The first ones may have been closed by the system's own means, which count nothing.
    const refused = /^umbra_downstream_connections_refused_total\{[^}]*\} [1-9]\d*$/m;
    // Idle connections of pools are closed, so that some clients are served again until the next shortage.
    // Until that one is noticed, a connection to the admin server may be closed like any other.
    await until(async () => {
      clients.push(await RawClient.connect(umbra.port));
      return refused.test(await umbra.metrics().catch(() => ''));
    }, 'clients that are turned away are counted');

    const before = cpuTicks(umbra.pid);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    t.ok(cpuTicks(umbra.pid) - before < 50, `${cpuTicks(umbra.pid) - before} ticks of CPU in a second`);

    for (const { socket } of clients) socket.destroy();
    await umbra.logged(/file descriptors are available again/);
    await until(async () => (await ask(umbra.port)).status === 200, 'clients are served again');
  },
);
