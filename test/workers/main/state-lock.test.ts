import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateLock } from '../../../workers/main/state-lock.js';
import t from '../../support/tap.js';

const parent = mkdtempSync(join(tmpdir(), 'umbra-lock-'));
t.teardown(() => rmSync(parent, { recursive: true, force: true }));
let directories = 0;
const newDirectory = (): string => join(parent, String(directories++));

/** Another process that holds the lock of `directory`, or the reason why it could not get it. */
async function holder(directory: string) {
  const script = `
    const { StateLock } = await import(${JSON.stringify(import.meta.resolve('../../../workers/main/state-lock.js'))});
    process.on('message', () => { lock.release(); process.exit(0); });
    let lock;
    try { lock = await StateLock.acquire(process.argv[2], 0); process.send('held'); }
    catch (error) { process.send(error.message); process.exit(0); }`;
  const file = join(parent, `holder-${directories}.mjs`);
  writeFileSync(file, script);
  const child = fork(file, [directory], { execArgv: [] });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child, 'message')) as [string];
  return { child, said };
}

t.test('a second process is refused and reads who owns the directory', async (t) => {
  const directory = newDirectory();
  const lock = await StateLock.acquire(directory, 0);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  const { said } = await holder(directory);
  t.match(said, `the state directory ${directory} is in use by process ${process.pid}`);
  lock.release();
  const { said: now, child } = await holder(directory);
  t.equal(now, 'held');
  await t.rejects(StateLock.acquire(directory, 0), new RegExp(`in use by process ${child.pid}`));
  t.strictSame(readdirSync(directory), ['owner'], 'no other file is left');
});

t.test('a process that was killed keeps nothing', async (t) => {
  const directory = newDirectory();
  const { child } = await holder(directory);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  (await StateLock.acquire(directory, 0)).release();
  t.strictSame(readdirSync(directory), []);
});

const skip = process.platform !== 'linux' && 'only /proc shows when a process started';
t.test('a number that another process has now does not keep it', { skip }, async () => {
  const directory = newDirectory();
  mkdirSync(directory);
  for (const owner of [`${process.ppid} 1\n`, `${process.pid} 1\n`, '', 'not a number\n']) {
    writeFileSync(join(directory, 'owner'), owner);
    (await StateLock.acquire(directory, 0)).release();
  }
});

t.test('a process that waits gets the directory when it is released', async () => {
  const directory = newDirectory();
  const { child } = await holder(directory);
  const waiting = StateLock.acquire(directory, 20_000);
  child.send('release');
  (await waiting).release();
});

t.test('of many that find a stale owner at once exactly one gets the directory', async (t) => {
  const directory = newDirectory();
  mkdirSync(directory);
  writeFileSync(join(directory, 'owner'), '999999999 1\n');
  const holders = await Promise.all(Array.from({ length: 6 }, () => holder(directory)));
  t.equal(holders.filter(({ said }) => said === 'held').length, 1);
});
