/** One piece of the suite as a process, and its outcome. */
import { spawn, spawnSync } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';
import type { Piece } from './work.js';

export interface Result {
  readonly piece: Piece;
  readonly passed: boolean;
  /** Assertions that held. */
  readonly asserted: number;
  /** Why tests were skipped, each once. */
  readonly skipped: readonly string[];
  readonly seconds: number;
  /** CPU time of the file and of what it started, in seconds; 0 where it is unknown. */
  readonly cpuSeconds: number;
  /** TAP and whatever else was written. */
  readonly output: string;
}

/**
 * The test ends itself by then, with a word on what it waited for. One that builds packages takes 45 s of a
 * processor, which six share two of.
 */
const timeoutS = 300;
/** One that does not is asked to, and then made to. */
const patienceMs = (timeoutS + 15) * 1000;
const killMs = 5000;

/**
 * Variables that tests and what they start do not get: what a runner around this one says to its tests, and
 * certificates of the machine, which Node up to 22 reads at each start: 38 of 62 ms of CPU time for 150 of
 * them.
 */
const withheld = /^_?TAP|^NODE_EXTRA_CA_CERTS$/;

/**
 * Runs it with node alone. A test file is a program that says TAP; what a runner would load into it and into
 * every thread and process that it starts (loaders that follow its imports) takes more of a processor than
 * most tests do.
 */
export function runPiece(piece: Piece): Promise<Result> {
  const begun = performance.now();
  const inherited = Object.entries(process.env).filter(([name]) => !withheld.test(name));
  const env = { ...Object.fromEntries(inherited), TAP: '1', TAP_TIMEOUT: String(timeoutS), UMBRA_SUITE: '1' };
  if (piece.engine !== null) {
    // tap names a test's directory by its file, which runs over the other engine at the same time.
    Object.assign(env, { UMBRA_ENGINE: piece.engine, TAP_CWD: resolvePath('.tap', `over-${piece.engine}`) });
  }
  const [program = process.execPath, ...words] = piece.isApart ? apart() : [];
  const child = spawn(program, [...words, piece.file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const written: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => written.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => written.push(bytes));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), killMs).unref();
  }, patienceMs);
  const endWithMe = (): boolean => child.kill('SIGTERM');
  process.once('exit', endWithMe);
  return new Promise((resolve) => {
    child.on('error', (error) => written.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) => {
      clearTimeout(timer);
      process.off('exit', endWithMe);
      const output = Buffer.concat(written).toString();
      const seconds = (performance.now() - begun) / 1000;
      resolve({ piece, ...read(output, code === 0 && !late), seconds, output });
    });
  });
}

/** Each of the programs becomes the next one. */
const inOwnNetwork = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', process.execPath];

/** What starts Node in a network of its own; empty: not everybody may have one. */
function apart(): readonly string[] {
  const [program, ...words] = inOwnNetwork;
  return spawnSync(program!, [...words, '--version']).status === 0 ? inOwnNetwork : [];
}

/**
 * `ended`: in time and with exit code 0. A file that says no plan has tested nothing, whatever its exit code
 * is.
 */
function read(
  output: string,
  ended: boolean,
): Pick<Result, 'passed' | 'asserted' | 'skipped' | 'cpuSeconds'> {
  const plan = /^1\.\.\d+/m.test(output);
  const asserted = Number(/^# \{ total: \d+, pass: (\d+)/m.exec(output)?.[1] ?? 0);
  const skipped = new Set(Array.from(output.matchAll(/^ *ok .* # SKIP (.+)$/gm), ([, why]) => why));
  const cpuSeconds = Number(/^# cpu ([\d.]+)$/m.exec(output)?.[1] ?? 0);
  return { passed: ended && plan && !/^not ok/m.test(output), asserted, skipped: [...skipped], cpuSeconds };
}
