// Runs over one engine: recordings are made behind the engines.
/**
 * What becomes of a recording when its disk is full, its directory goes away or nothing may be written; and
 * of clients: nothing.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MirrorStats } from '../../core/report/stats.js';
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { requestsIn, segmentsIn } from '../support/recorded.js';
import t, { type Test } from '../support/tap.js';
import { type ConfigWords, reviews, UmbraProcess, until } from '../support/umbra.js';

const v1 = await Origin.listen();
const base = mkdtempSync(join(tmpdir(), 'umbra-faults-'));
const mounted: string[] = [];
t.teardown(async () => {
  for (const path of mounted) execFileSync('umount', [path]);
  rmSync(base, { recursive: true, force: true });
  await v1.close();
});

/** A file system of its own. */
function smallDisk(name: string, size: string): string {
  const path = join(base, name);
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'umbra-test', path], { stdio: 'ignore' });
  mounted.push(path);
  return path;
}

function canMount(): boolean {
  try {
    smallDisk('probe', '64k');
    return true;
  } catch {
    return false;
  }
}

const isRoot = process.getuid?.() === 0;
const noDisk = canMount() ? false : 'a small file system can not be mounted here';

function recordingTo(path: string): [ConfigWords, string] {
  const to = `file:${path}`;
  const mirrors = [{ to, recording: { compress: false } }];
  return [reviews(v1.port, null, { route: { mirrors } }), to];
}

let asked = 0;
async function askSome(t: Test, umbra: UmbraProcess, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const target = `/${asked++}`;
    const { status } = await ask(umbra.port, { method: 'PUT', target, body: Buffer.alloc(10_000, 'x') });
    if (status !== 200) t.equal(status, 200, target);
  }
}

async function statsOf(umbra: UmbraProcess, to: string): Promise<MirrorStats> {
  return mirrorTo(await umbra.stats(), to);
}

/** Every copy that counts as completed is on disk, each once, in files that are whole; the others are not. */
async function diskTells(t: Test, umbra: UmbraProcess, to: string, path: string): Promise<void> {
  const { completed } = mirrorTo(await lawHolds(t, umbra), to);
  await umbra.stop();
  t.equal(new Set(requestsIn(path).map(({ request }) => request)).size, completed);
  t.equal(requestsIn(path).length, completed);
}

t.test(
  'a full disk stops a recording with a count and no client, and it continues when there is room',
  async (t) => {
    const path = smallDisk('full', '512k');
    const [config, to] = recordingTo(path);
    // Bytes of somebody else.
    const ballast = join(path, 'ballast');
    writeFileSync(ballast, Buffer.alloc(300_000));
    const umbra = await UmbraProcess.start(config);
    await until(async () => {
      await askSome(t, umbra, 10);
      return (await statsOf(umbra, to)).dropped['disk-full'] > 0;
    }, 'the disk is full');
    await umbra.logged(/has stopped: ENOSPC.*copies are dropped and counted/);
    const isUp = async (): Promise<boolean> =>
      /^umbra_sink_up\{.*role="sink"\} 1$/m.test(await umbra.metrics());
    await until(
      async () => (await statsOf(umbra, to)).kept?.trouble === 'disk-full',
      'its state is reported',
    );
    t.equal(await isUp(), false);
    const change = async (what: object): Promise<void> => {
      const mirror = `/api/routes/reviews/mirrors/${encodeURIComponent(to)}`;
      t.equal((await umbra.admin('PATCH', mirror, what)).status, 200);
    };
    await change({ enabled: false });
    t.notMatch(await umbra.metrics(), /^umbra_sink_up\{/m, 'one that is off is neither up nor down');
    await change({ enabled: true });
    for (const percent of [50, 100]) {
      await change({ percent });
      t.equal(await isUp(), false, `a change of the share to ${percent} % says nothing of the disk`);
    }
    const { failed, completed } = mirrorTo(await lawHolds(t, umbra), to);
    t.ok(failed.write > 0 && completed > 0, `${failed.write} failed, ${completed} completed`);
    t.notOk(
      readdirSync(path).some((name) => readFileSync(join(path, name)).byteLength === 0),
      'tries leave no empty files',
    );
    rmSync(ballast);
    await until(async () => {
      await askSome(t, umbra, 1);
      return (await statsOf(umbra, to)).completed > completed;
    }, 'it records again');
    await umbra.logged(/works again/);
    await until(isUp, 'its state is reported');
    await diskTells(t, umbra, to, path);
  },
);

t.test(
  'a limit on the size of files is a write that fails, and the next file takes what comes after',
  async (t) => {
    const path = join(base, 'limited');
    const [config, to] = recordingTo(path);
    // 512 bytes in one shell, 1024 in another.
    const umbra = await UmbraProcess.startWithin(config, 'ulimit -f 100');
    await until(async () => {
      await askSome(t, umbra, 5);
      const { failed, completed } = await statsOf(umbra, to);
      return failed.write > 0 && completed > 0 && segmentsIn(path).length >= 2;
    }, 'a write fails, and another file is begun');
    await umbra.logged(/has stopped: EFBIG/);
    await diskTells(t, umbra, to, path);
  },
);

t.test(
  'a directory that is deleted is created again, and the deletion of its file is reported',
  async (t) => {
    const path = join(base, 'deleted');
    const [config, to] = recordingTo(path);
    const umbra = await UmbraProcess.start(config);
    await until(async () => {
      await askSome(t, umbra, 1);
      return (await statsOf(umbra, to)).completed > 0;
    }, 'it records');
    rmSync(path, { recursive: true });
    await umbra.logged(/has stopped: its file was deleted/);
    const { completed } = await statsOf(umbra, to);
    await until(async () => {
      await askSome(t, umbra, 1);
      return (await statsOf(umbra, to)).completed > completed;
    }, 'it records again');
    await umbra.logged(/works again/);
    await lawHolds(t, umbra);
    await umbra.stop();
    t.ok(requestsIn(path).length > 0);
  },
);

t.test(
  'what may not be written any more is dropped as unwritable until it may',
  { skip: isRoot && noDisk },
  async (t) => {
    // Root may write whatever a directory's mode says.
    const path = isRoot ? smallDisk('read-only', '4m') : join(base, 'read-only');
    if (!isRoot) mkdirSync(path);
    const allow = (writable: boolean): void => {
      if (isRoot) execFileSync('mount', ['-o', `remount,${writable ? 'rw' : 'ro'}`, path]);
      else chmodSync(path, writable ? 0o700 : 0o500);
    };
    allow(false);
    const [config, to] = recordingTo(path);
    const umbra = await UmbraProcess.start(config);
    await until(async () => {
      await askSome(t, umbra, 2);
      const { failed, dropped } = await statsOf(umbra, to);
      return failed.write > 0 && dropped.unwritable > 0;
    }, 'nothing can be written');
    await umbra.logged(/has stopped: (EROFS|EACCES)/);
    allow(true);
    await until(async () => {
      await askSome(t, umbra, 1);
      return (await statsOf(umbra, to)).completed > 0;
    }, 'it records');
    await diskTells(t, umbra, to, path);
  },
);
