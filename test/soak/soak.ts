/**
 * The fault matrix against a whole umbra: every fault of a shadow, before, during and after a request, while
 * shares, routes and the configuration change, threads are killed and other processes take over at random.
 * At its end no client may have seen anything of it, and every copy must be accounted for.
 */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Stats } from '../../core/report/stats.js';
import { answerAs, asked, type MixedRequest, mixedRequest, sizesOf } from '../end-to-end/mixed.js';
import { ask, RawClient } from '../support/client.js';
import { served, skipTakeover } from '../support/engines.js';
import { ask2, http2Session } from '../support/http2-client.js';
import { Origin } from '../support/origin.js';
import type { RawHttp2Server } from '../support/raw-http2.js';
import { refusedPort } from '../support/raw-server.js';
import { type ConfigWords, onPort, reviews, UmbraProcess, until } from '../support/umbra.js';
import { Dice } from './dice.js';
import { faultyHttp2Shadow } from './faulty-http2-shadow.js';
import { FaultyShadow, shadowFaults } from './faulty-shadow.js';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Receives a line for each action. */
  readonly log: (line: string) => void;
}

export interface SoakResult {
  readonly seed: number;
  /** Requests that were answered, each compared with what the primary was to answer. */
  readonly answered: number;
  /** What clients saw that they should not have. */
  readonly clientErrors: readonly string[];
  /**
   * Connections that were cut because their proxy thread was killed: its clients alone feel that, and nothing
   * can help it.
   */
  readonly cutByKills: number;
  /**
   * Connections that the kernel has reset because they waited for a process whose place was taken, where
   * `net.ipv4.tcp_migrate_req` is off (docs/operations.md).
   */
  readonly cutByTakeovers: number;
  readonly kills: { readonly proxy: number; readonly shadow: number; readonly control: number };
  /** How often the shadow turned to each fault. */
  readonly faults: Readonly<Record<string, number>>;
  readonly changes: number;
  /** How often another process took over. */
  readonly takeovers: number;
  /**
   * The longest time that clients, origin and shadows, which share a thread, did not run: how full the
   * machine was.
   */
  readonly stoodStillMs: number;
  /** At rest, after everything, of each process: the last one, and those whose place was taken. */
  readonly stats: readonly Stats[];
}

const threads = { proxy: 2, shadow: 2 };
const callers = 12;
/** The callers among them that speak HTTP/2, where the engine does. */
const http2Callers = served === 'node' ? 4 : 0;
const leavers = 2;
/** What clients may speak. */
const spoken = served === 'node' ? { protocols: ['http1', 'h2'] } : {};
/** Between two disturbances, in milliseconds. */
const pauseMs = { from: 30, to: 250 };
/** A killed proxy thread's connections may be noticed so long after. */
const killNoticedMs = 2000;
/** Description of an answer that was not expected. */
const shownBytes = 100;

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const run = await Soak.start(options);
  try {
    return await run.toTheEnd();
  } finally {
    await run.stop();
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #dice: Dice;
  readonly #v1: Origin;
  /** The same, for configurations in which the primary speaks HTTP/2. */
  readonly #v1Http2: Origin;
  readonly #v4: RawHttp2Server;
  readonly #v2: FaultyShadow;
  readonly #v3: FaultyShadow;
  #umbra: UmbraProcess;
  #configs: readonly ConfigWords[];
  /** The accounts of processes whose place was taken. */
  readonly #ended: Stats[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: callers });
  readonly #clientErrors: string[] = [];
  readonly #kills = { proxy: 0, shadow: 0, control: 0 };
  readonly #faults: Record<string, number> = {};
  #answered = 0;
  #cutByKills = 0;
  #cutByTakeovers = 0;
  /** When the latest takeover began, or has ended. */
  #takenOverMs = Number.NEGATIVE_INFINITY;
  #changes = 0;
  #takeovers = 0;
  #nextIndex = 0;
  #proxyKilledMs = Number.NEGATIVE_INFINITY;
  #ending = false;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 10 });

  private constructor(
    options: SoakOptions,
    [v1, v1Http2]: readonly [Origin, Origin],
    v4: RawHttp2Server,
    shadows: readonly [FaultyShadow, FaultyShadow],
    umbra: UmbraProcess,
    configs: readonly ConfigWords[],
  ) {
    this.#options = options;
    this.#dice = new Dice(options.seed);
    this.#v1 = v1;
    this.#v1Http2 = v1Http2;
    this.#v4 = v4;
    [this.#v2, this.#v3] = shadows;
    this.#umbra = umbra;
    this.#configs = configs;
  }

  static async start(options: SoakOptions): Promise<Soak> {
    const v1 = await Origin.listen((received, response) => answerAs('v1', received, response));
    const http2 = await Origin.listenHttp2((received, response) => answerAs('v1', received, response));
    const v4 = await faultyHttp2Shadow(new Dice(options.seed + 1));
    const [v2, v3] = [await FaultyShadow.listen(), await FaultyShadow.listen()];
    const configs = configsFor(v1.port, http2.port, v2.port, v3.port, v4.port, await refusedPort());
    const umbra = await UmbraProcess.startBreakable(configs[0]);
    return new Soak(options, [v1, http2], v4, [v2, v3], umbra, configs);
  }

  async toTheEnd(): Promise<SoakResult> {
    this.#loopDelay.enable();
    const endMs = performance.now() + this.#options.seconds * 1000;
    const clients = [
      ...Array.from({ length: callers - http2Callers }, () => this.#call()),
      ...Array.from({ length: http2Callers }, () => this.#callHttp2()),
      ...Array.from({ length: leavers }, () => this.#leaveEarly()),
    ];
    while (performance.now() < endMs) {
      await this.#disturb();
      await new Promise((resolve) => setTimeout(resolve, this.#dice.between(pauseMs.from, pauseMs.to)));
    }
    this.#ending = true;
    await Promise.all(clients);
    for (const shadow of [this.#v2, this.#v3]) await shadow.turn('healthy', true);
    const stats = await until(() => this.#umbra.atRest().catch(() => null), 'umbra is at rest');
    return {
      seed: this.#options.seed,
      answered: this.#answered,
      clientErrors: this.#clientErrors,
      cutByKills: this.#cutByKills,
      cutByTakeovers: this.#cutByTakeovers,
      kills: this.#kills,
      faults: this.#faults,
      changes: this.#changes,
      takeovers: this.#takeovers,
      stoodStillMs: Math.round(this.#loopDelay.max / 1e6),
      stats: [stats, ...this.#ended],
    };
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#umbra.stop();
    const all = [this.#v1, this.#v1Http2, this.#v2, this.#v3, this.#v4];
    await Promise.all(all.map((one) => one.close()));
  }

  /** A client that asks one thing after the other and looks at every byte of the answers. */
  async #call(): Promise<void> {
    while (!this.#ending) {
      const request = mixedRequest(this.#nextIndex++);
      try {
        this.#check(request, await ask(this.#umbra.port, { ...asked(request), agent: this.#agent }));
      } catch (error) {
        this.#failed(`${request.method} ${request.target}: ${String(error)}`);
      }
    }
  }

  /** The same over HTTP/2, with a new connection whenever the last one has ended. */
  async #callHttp2(): Promise<void> {
    const fresh = (): ClientHttp2Session => http2Session(`http://127.0.0.1:${this.#umbra.port}`);
    let session = fresh();
    while (!this.#ending) {
      if (session.closed || session.destroyed) session = fresh();
      const request = mixedRequest(this.#nextIndex++);
      const { host, ...headers } = asked(request).headers ?? {};
      const { method, target, body } = request;
      try {
        const words = { method, target, headers: { ...headers, ':authority': String(host) } };
        const asked = body === null ? words : { ...words, body };
        const answered = await ask2(session, asked).catch((error: Error) => {
          // Node refuses what it has not sent when GOAWAY comes; clients ask again (RFC 9113, section 8.7).
          if (!session.closed || !error.message.includes('REFUSED_STREAM')) throw error;
          session = fresh();
          return ask2(session, asked);
        });
        this.#check(request, answered);
      } catch (error) {
        this.#failed(`${method} ${target} over HTTP/2: ${String(error)}`);
      }
    }
    session.destroy();
  }

  #check(
    request: MixedRequest,
    { status, sha, body }: { readonly status: number; readonly sha: string; readonly body: Buffer },
  ): void {
    const expected = sizesOf(request);
    this.#answered++;
    if (status !== expected.status || sha !== expected.sha)
      this.#clientErrors.push(
        `${request.method} ${request.target}: ${status}, ${beginOf(body)}; ${since(this.#proxyKilledMs, 'a proxy thread was killed')}`,
      );
    // What arrived is not kept: a run may be long.
    this.#v1.received.length = 0;
    this.#v1Http2.received.length = 0;
  }

  /** A client that goes away in the middle, of its request or of its response. */
  async #leaveEarly(): Promise<void> {
    while (!this.#ending) {
      try {
        const client = await RawClient.connect(this.#umbra.port);
        client.send(
          'POST /left HTTP/1.1\r\nHost: h\r\nx-index: 0\r\nContent-Length: 100000\r\n\r\nonly the beginning',
        );
        await new Promise((resolve) => setTimeout(resolve, this.#dice.between(0, pauseMs.to)));
        client.close();
      } catch (error) {
        this.#failed(`connect: ${String(error)}`);
      }
    }
  }

  #failed(what: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#proxyKilledMs < killNoticedMs) this.#cutByKills++;
    else if (!migratesConnections && nowMs - this.#takenOverMs < killNoticedMs) this.#cutByTakeovers++;
    else this.#clientErrors.push(`${what}; ${since(this.#takenOverMs, 'another process took over')}`);
  }

  async #disturb(): Promise<void> {
    const action = this.#dice.weighted<() => Promise<void>>([
      [8, () => this.#turnShadow()],
      [3, () => this.#changeShare()],
      [1, () => this.#switchAll()],
      [2, () => this.#replaceConfig()],
      [1, () => this.#hangUp()],
      [1, () => this.#kill('shadow', threads.shadow)],
      [0.3, () => this.#kill('proxy', threads.proxy)],
      [0.3, () => this.#killControl()],
      [skipTakeover === false ? 0.3 : 0, () => this.#takeOver()],
    ]);
    await action();
  }

  async #turnShadow(): Promise<void> {
    const fault = this.#dice.oneOf(shadowFaults);
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
    const shadow = this.#dice.chance(0.7) ? this.#v2 : this.#v3;
    await shadow.turn(fault, this.#dice.chance(0.5));
  }

  async #changeShare(): Promise<void> {
    const percent = this.#dice.oneOf([0, 0.5, 25, 100, 100]);
    await this.#change('PATCH', '/api/routes/reviews/mirrors/v2', { percent });
  }

  /** The kill switch, off and on again. */
  async #switchAll(): Promise<void> {
    await this.#change('PATCH', '/api/mirrors', { enabled: false });
    await this.#change('PATCH', '/api/mirrors', { enabled: true });
  }

  async #replaceConfig(): Promise<void> {
    await this.#change('PUT', '/api/config', this.#dice.oneOf(this.#configs));
  }

  async #hangUp(): Promise<void> {
    this.#umbra.file.write(this.#dice.oneOf(this.#configs));
    this.#umbra.signal('SIGHUP');
    this.#changes++;
  }

  async #kill(kind: 'proxy' | 'shadow', count: number): Promise<void> {
    this.#options.log(`a ${kind} thread is killed`);
    if (kind === 'proxy') this.#proxyKilledMs = performance.now();
    await this.#umbra.makeThrow(`${kind}-${Math.floor(this.#dice.between(0, count - 0.001))}`);
    if (kind === 'proxy') this.#proxyKilledMs = performance.now();
    this.#kills[kind]++;
  }

  async #killControl(): Promise<void> {
    this.#options.log('the control thread is killed');
    await this.#umbra.makeThrow('control');
    this.#kills.control++;
  }

  /** Another process takes the place of this one, which serves what it has, and ends. */
  async #takeOver(): Promise<void> {
    this.#options.log('a process takes over');
    const before = this.#umbra;
    const last = before.lastStats();
    this.#takenOverMs = Number.POSITIVE_INFINITY;
    // A change from now on is for the new one alone.
    this.#configs = this.#configs.map((config) => onPort(config, before));
    this.#umbra = await UmbraProcess.startBreakableInPlaceOf(before, this.#dice.oneOf(this.#configs));
    this.#ended.push(await last);
    this.#takenOverMs = performance.now();
    this.#takeovers++;
  }

  /** A 404 is no fault: the route or the mirror may be another configuration's. */
  async #change(method: string, path: string, body: object): Promise<void> {
    const { status, text } = await this.#umbra.admin(method, path, body);
    if (status !== 200 && status !== 404) throw new Error(`${method} ${path}: ${status} ${text}`);
    this.#changes++;
  }
}

/** The kernel hands connections that wait for one process to another one on the same port. */
const migratesConnections = ((): boolean => {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '1';
  } catch {
    return false;
  }
})();

/** `atMs` is infinite before it began and while it lasts. */
function since(atMs: number, what: string): string {
  if (Number.isFinite(atMs)) return `${Math.round(performance.now() - atMs)} ms after ${what}`;
  return atMs < 0 ? `before ${what}` : `while ${what}`;
}

/** umbra's own answers are one line. */
function beginOf(body: Buffer): string {
  return body.length <= shownBytes ? JSON.stringify(body.toString('latin1')) : `${body.length} bytes`;
}

/**
 * Configurations that differ in routes, mirrors, bounds and the protocol of the primary; listeners and
 * threads are the same in all.
 */
function configsFor(
  v1: number,
  v1Http2: number,
  v2: number,
  v3: number,
  v4: number,
  adminPort: number,
): ConfigWords[] {
  const plain = configsOver(v1, 'http1', v2, v3, v4, adminPort);
  return [...plain, ...configsOver(v1Http2, 'http2', v2, v3, v4, adminPort)];
}

function configsOver(
  v1: number,
  protocol: 'http1' | 'http2',
  v2: number,
  v3: number,
  v4: number,
  adminPort: number,
): ConfigWords[] {
  const whole500ms = { total: '500ms' };
  const listen = [{ address: '127.0.0.1:0', engine: served, ...spoken }];
  const common = { threads, admin: { address: `127.0.0.1:${adminPort}` }, listen };
  const whole = reviews(v1, v2, { v1: { protocol }, mirror: { timeouts: whole500ms }, umbra: common });
  const versions = {
    ...whole.versions,
    v3: { endpoints: `http://127.0.0.1:${v3}` },
    v4: { endpoints: `http://127.0.0.1:${v4}`, protocol: 'http2', connections: { max: 8 } },
  };
  const narrow = {
    rate: '50/s',
    inFlight: 8,
    body: { max: '8KiB' },
    timeouts: { total: '250ms' },
    methods: 'safe',
  };
  const both = [
    { to: 'v2', percent: 50, sample: 'header:x-index', timeouts: whole500ms },
    { to: 'v3', ...narrow },
    { to: 'v4', timeouts: whole500ms },
  ];
  const breaker = { failures: '50%', window: '1s', cooldown: '200ms' };
  return [
    { ...whole, versions },
    { ...whole, versions, routes: [{ name: 'reviews', primary: 'v1', mirrors: both }] },
    {
      ...whole,
      versions,
      routes: [
        { name: 'posts', match: { method: ['POST', 'PUT'] }, primary: 'v1', mirrors: [both[1]] },
        { name: 'reviews', primary: 'v1', mirrors: [{ to: 'v2', timeouts: whole500ms, breaker }] },
      ],
    },
    {
      ...whole,
      versions,
      routes: [{ name: 'reviews', primary: 'v1', mirrors: [{ to: 'v4', timeouts: whole500ms }] }],
    },
    { ...whole, versions, routes: [{ name: 'reviews', primary: 'v1' }] },
  ];
}
