/** A real umbra as a child process, as a user starts it: `node bin/umbra.js run -c FILE`. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MirrorStats, Stats } from '../../core/report/stats.js';

const binary = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
const breakable = fileURLToPath(new URL('./breakable-umbra.js', import.meta.url));
const readyLine = /^umbra ready listen=(\S+?)(?: admin=(\S+))? pid=(\d+)$/m;
/** Waits look again after a tenth of the time that they have lasted, within these bounds. */
const pauseMs = { from: 5, to: 100, share: 0.1 };
/** What is not so by then will never be: the wait ends and the test fails. */
const patienceMs = 20_000;

/**
 * umbra as a user starts it. The test runner puts hooks into NODE_OPTIONS of every child, behind the back of
 * whoever starts it; loaded in each of umbra's threads, they more than double the time of a start. `env`
 * takes them out.
 */
function spawnNode(words: readonly string[], ipc: 'ipc' | 'ignore' = 'ignore'): ChildProcess {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ipc];
  if (process.platform === 'win32') return spawn(process.execPath, words, { stdio });
  return spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...words], { stdio });
}

/** The engine that the end-to-end tests run over: `UMBRA_ENGINE=node` runs them over the other one. */
export const engine = process.env.UMBRA_ENGINE ?? 'auto';

/** A configuration as data; JSON is YAML. */
export interface ConfigWords {
  versions: Record<string, unknown>;
  routes: Record<string, unknown>[];
  threads: { proxy: number; shadow: number };
  [key: string]: unknown;
}

/** `oneOfEach` is enough for most tests, because a thread costs most of a tenth of a second of CPU time. */
const oneOfEach: ConfigWords['threads'] = { proxy: 1, shadow: 1 };

/** `twoProxies` is for a test about what proxy threads share. */
export const twoProxies: ConfigWords['threads'] = { proxy: 2, shadow: 1 };

/**
 * One route `reviews` from v1, with a mirror to v2 unless `v2` is null. It has one thread of
 * each kind unless `changes.umbra` asks for `twoProxies`.
 */
export function reviews(
  v1: number,
  v2: number | null,
  changes: { mirror?: object; route?: object; v1?: object; v2?: object; umbra?: object } = {},
): ConfigWords {
  return {
    listen: [{ address: '127.0.0.1:0', engine }],
    admin: { address: '127.0.0.1:0' },
    threads: oneOfEach,
    versions: {
      v1: { endpoints: `http://127.0.0.1:${v1}`, ...changes.v1 },
      ...(v2 === null ? {} : { v2: { endpoints: `http://127.0.0.1:${v2}`, ...changes.v2 } }),
    },
    routes: [
      {
        name: 'reviews',
        primary: 'v1',
        ...(v2 === null ? {} : { mirrors: [{ to: 'v2', ...changes.mirror }] }),
        ...changes.route,
      },
    ],
    ...changes.umbra,
  };
}

/** Any versions and routes, with one thread of each kind. */
export function plain(versions: ConfigWords['versions'], routes: ConfigWords['routes']): ConfigWords {
  return {
    listen: [{ address: '127.0.0.1:0', engine }],
    admin: { address: '127.0.0.1:0' },
    threads: oneOfEach,
    versions,
    routes,
  };
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** `umbra ARGUMENTS`, which is ended with the test. */
export function spawnUmbra(...words: string[]): ChildProcess {
  const child = spawnNode([binary, ...words]);
  leaveNoOrphan(child);
  return child;
}

/** Runs `umbra ARGUMENTS` to its end. */
export function runToEnd(...words: string[]): Promise<Ended> {
  return runNodeToEnd([], ...words);
}

/** The same with words for node itself. */
export async function runNodeToEnd(nodeWords: readonly string[], ...words: string[]): Promise<Ended> {
  const child = spawnNode([...nodeWords, binary, ...words]);
  const output = new Output(child);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, out: output.out, err: output.err };
}

/** A directory with a configuration file in it, which goes when the process ends. */
export class ConfigFile {
  readonly directory = mkdtempSync(join(tmpdir(), 'umbra-test-'));
  readonly path = join(this.directory, 'umbra.yaml');

  constructor(config: ConfigWords | string) {
    this.write(config);
  }

  /** Saves as editors do: a new file replaces the old one. */
  write(config: ConfigWords | string): void {
    const text = typeof config === 'string' ? config : JSON.stringify(config);
    writeFileSync(`${this.path}.new`, text);
    renameSync(`${this.path}.new`, this.path);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What a child writes, as text that can be waited for. */
export class Output {
  out = '';
  err = '';

  constructor(child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }
}

export class UmbraProcess {
  readonly url: string;
  /** By listener. */
  readonly ports: readonly number[];
  readonly adminUrl: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly file: ConfigFile;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly #child: ChildProcess;
  readonly #output: Output;

  private constructor(
    child: ChildProcess,
    output: Output,
    file: ConfigFile,
    ended: UmbraProcess['ended'],
    ready: RegExpExecArray,
  ) {
    this.#child = child;
    this.#output = output;
    this.file = file;
    this.ended = ended;
    this.url = ready[1].split(',')[0];
    this.ports = ready[1].split(',').map((url) => Number(new URL(url).port));
    this.adminUrl = ready[2] ?? '';
    // Of a unix socket there is neither.
    const { hostname, port } = new URL(this.url);
    this.host = hostname;
    this.port = Number(port);
    this.pid = Number(ready[3]);
  }

  /**
   * Resolves when it serves; rejects with what it wrote if it ends before. `nodeWords` are for node itself.
   */
  static start(config: ConfigWords | string, nodeWords: readonly string[] = []): Promise<UmbraProcess> {
    const file = new ConfigFile(config);
    return UmbraProcess.#follow(spawnNode([...nodeWords, binary, 'run', '-c', file.path]), file);
  }

  /** One that reads the documents beside its configuration: their texts by the names of their files. */
  static startBeside(
    config: ConfigWords | string,
    documents: Readonly<Record<string, string>>,
  ): Promise<UmbraProcess> {
    const file = new ConfigFile(config);
    for (const [name, text] of Object.entries(documents)) writeFileSync(join(file.directory, name), text);
    return UmbraProcess.#follow(spawnNode([binary, 'run', '-c', file.directory]), file);
  }

  /** One whose configuration is not in a file, as `nats-kv://…`. */
  static startFrom(address: string): Promise<UmbraProcess> {
    return UmbraProcess.#follow(spawnNode([binary, 'run', '-c', address]), new ConfigFile(''));
  }

  /** An installed one: `words` are the whole command, which names a configuration of its own. */
  static startInstalled(words: readonly string[]): Promise<UmbraProcess> {
    const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    return UmbraProcess.#follow(child, new ConfigFile(''));
  }

  /** One that takes the place of another: `from` is its number, or a file. */
  static startInPlaceOf(from: string, config: ConfigWords | string): Promise<UmbraProcess> {
    const file = new ConfigFile(config);
    return UmbraProcess.#follow(spawnNode([binary, 'run', '-c', file.path, '--takeover', from]), file);
  }

  /** One that gets these descriptors as systemd passes sockets on; `names` are LISTEN_FDNAMES. */
  static startWithSockets(
    config: ConfigWords | string,
    fds: readonly number[],
    names: string | null = null,
  ): Promise<UmbraProcess> {
    const file = new ConfigFile(config);
    const told = names === null ? '' : `LISTEN_FDNAMES='${names}'`;
    // Only the process itself knows its number before it runs.
    const script = `unset NODE_OPTIONS; export LISTEN_PID=$$ LISTEN_FDS=${fds.length} ${told}; exec "$@"`;
    const words = ['-c', script, 'sh', process.execPath, binary, 'run', '-c', file.path];
    return UmbraProcess.#follow(spawn('sh', words, { stdio: ['ignore', 'pipe', 'pipe', ...fds] }), file);
  }

  /** One for which the shell has set this limit, as in `ulimit -f 100`. */
  static startWithin(config: ConfigWords, limit: string): Promise<UmbraProcess> {
    const file = new ConfigFile(config);
    const words = ['-c', `unset NODE_OPTIONS; ${limit}; exec "$@"`, 'sh', process.execPath, binary];
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    return UmbraProcess.#follow(spawn('sh', [...words, 'run', '-c', file.path], { stdio }), file);
  }

  /** One whose threads can be made to throw. */
  static startBreakable(config: ConfigWords): Promise<UmbraProcess> {
    const file = new ConfigFile(config);
    return UmbraProcess.#follow(spawnNode([breakable, file.path], 'ipc'), file);
  }

  /** One whose threads can be made to throw, and that takes the place of `before`. */
  static startBreakableInPlaceOf(before: UmbraProcess, config: ConfigWords): Promise<UmbraProcess> {
    const file = new ConfigFile(config);
    const words = [breakable, file.path, String(before.pid)];
    return UmbraProcess.#follow(spawnNode(words, 'ipc'), file);
  }

  static async #follow(child: ChildProcess, file: ConfigFile): Promise<UmbraProcess> {
    const output = new Output(child);
    const ended = once(child, 'close').then(([code, signal]) => {
      file.remove();
      return { code: code as number | null, signal: signal as string | null };
    });
    let over = false;
    void ended.then(() => {
      over = true;
    });
    leaveNoOrphan(child);
    const isReady = () => over || readyLine.exec(output.out);
    const ready = await until(isReady, 'umbra says that it is ready').catch((error: Error) => {
      throw new Error(`${error.message}:\n${output.out}${output.err}`);
    });
    if (ready === true) throw new Error(`umbra ended before it was ready:\n${output.out}${output.err}`);
    return new UmbraProcess(child, output, file, ended, ready);
  }

  get out(): string {
    return this.#output.out;
  }

  get err(): string {
    return this.#output.err;
  }

  /** Whether what it writes on stdout is read, or waits in the pipe until that is full. */
  readOut(read: boolean): void {
    if (read) this.#child.stdout!.resume();
    else this.#child.stdout!.pause();
  }

  /** Resolves when stderr holds it. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    return until(() => pattern.exec(this.err), `stderr says ${pattern}`);
  }

  async stats(): Promise<Stats> {
    return (await this.admin('GET', '/api/stats')).json as Stats;
  }

  async metrics(): Promise<string> {
    return (await this.admin('GET', '/metrics')).text;
  }

  /** One request to the admin API. */
  async admin(
    method: string,
    path: string,
    body?: object | string,
  ): Promise<{ status: number; text: string; json: unknown }> {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const headers =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const call = request(`${this.adminUrl}${path}`, { method, headers, agent: false });
    call.on('error', () => {});
    call.end(text);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const answer = (await response.setEncoding('utf8').toArray()).join('');
    const isJson = response.headers['content-type']?.includes('json') ?? false;
    return {
      status: response.statusCode!,
      text: answer,
      json: isJson ? (JSON.parse(answer) as unknown) : null,
    };
  }

  /**
   * Polls the stats until nothing is under way, or until it is clear that this will not be; the last stats.
   */
  async atRest(): Promise<Stats> {
    const begunMs = performance.now();
    for (;;) {
      const stats = await this.stats();
      if (isAtRest(stats) || performance.now() - begunMs > patienceMs) return stats;
      await pause(begunMs);
    }
  }

  /** The account of one whose threads can be made to throw, once it has ended by itself. */
  async lastStats(): Promise<Stats> {
    let last: Stats | null = null;
    this.#child.on('message', (message) => {
      if (typeof message === 'object') last = (message as { last: Stats }).last;
    });
    await this.ended;
    if (last === null) throw new Error(`umbra ended without an account:\n${this.err}`);
    return last;
  }

  /** Makes the thread throw (`proxy-0`, `shadow-0`, `control`); resolves when its successor is at work. */
  async makeThrow(name: string): Promise<void> {
    this.#child.send(name);
    for (let [word] = await once(this.#child, 'message'); word !== name; )
      [word] = await once(this.#child, 'message');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, and resolves with the exit. */
  async stop(): Promise<{ code: number | null; signal: string | null }> {
    this.signal('SIGTERM');
    return this.ended;
  }
}

/** A test that fails or is ended by its runner takes the umbra that it started along. */
function leaveNoOrphan(child: ChildProcess): void {
  const kill = (): boolean => child.kill('SIGKILL');
  const killAndEnd = (): void => {
    kill();
    process.exit(1);
  };
  const signals = ['SIGTERM', 'SIGINT', 'SIGALRM'] as const;
  process.once('exit', kill);
  for (const signal of signals) process.once(signal, killAndEnd);
  child.once('exit', () => {
    process.off('exit', kill);
    for (const signal of signals) process.off(signal, killAndEnd);
  });
}

/** Nothing waits in a ring, and nothing is open towards a version. */
export function isAtRest(stats: Stats): boolean {
  const isOver = (mirror: MirrorStats): boolean =>
    mirror.sent === mirror.completed + sum(mirror.failed) && mirror.inFlight === 0;
  return stats.mirrors.every((mirror) => gapOf(mirror) === 0 && isOver(mirror)) && openOf(stats) === 0;
}

/** eligible - sent - dropped. */
export function gapOf(mirror: MirrorStats): number {
  return mirror.eligible - mirror.sent - sum(mirror.dropped);
}

/** Exchanges that began and have neither a response nor a failure. */
export function openOf(stats: Stats): number {
  let open = 0;
  for (const { primary, shadow } of Object.values(stats.versions)) {
    for (const role of [primary, shadow]) {
      if (role !== null) open += role.requests - sum(role.responses) - sum(role.failures);
    }
  }
  return open;
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/**
 * Resolves with the first value of `look` that is not null, undefined or false; rejects when patience ends.
 */
export async function until<T>(
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  what: string,
): Promise<T> {
  const begunMs = performance.now();
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() - begunMs > patienceMs) throw new Error(`timed out waiting until ${what}`);
    await pause(begunMs);
  }
}

/** Each look takes CPU time, of umbra and of the test, which other tests wait for. */
function pause(begunMs: number): Promise<void> {
  const ms = (performance.now() - begunMs) * pauseMs.share;
  return new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(ms, pauseMs.from), pauseMs.to)));
}

/** The same configuration, on the addresses that a first umbra has taken. */
export function onPort(config: ConfigWords, umbra: UmbraProcess): ConfigWords {
  const [listener] = config.listen as readonly object[];
  return {
    ...config,
    listen: [{ ...listener, address: `127.0.0.1:${umbra.port}` }],
    admin: { address: new URL(umbra.adminUrl).host },
  };
}
