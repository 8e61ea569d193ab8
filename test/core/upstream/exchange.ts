import { EventEmitter, once } from 'node:events';
import { type Clock, nowUs } from '../../../core/clock.js';
import { causeText, type EndpointError } from '../../../core/endpoint-cause.js';
import type { Failure } from '../../../core/errors.js';
import { failureReasons } from '../../../core/errors.js';
import type { Framing } from '../../../core/http/message.js';
import { type ResponseHead, Without } from '../../../core/http/response-head.js';
import { type Guard, guardNames } from '../../../core/http2/floods.js';
import type { EndpointPlan, VersionPlan } from '../../../core/plan.js';
import type { Call } from '../../../core/upstream/call.js';
import { Calls } from '../../../core/upstream/calls.js';
import type { Endpoint } from '../../../core/upstream/endpoint.js';
import { VersionPool } from '../../../core/upstream/pool.js';
import { type UpstreamCounters, UpstreamResources } from '../../../core/upstream/resources.js';
import type { ResponseSink } from '../../../core/upstream/response-sink.js';
import type { TunnelSink, UpstreamTunnel } from '../../../core/upstream/tunnel.js';
import { type RequestChanges, requestOf } from '../../support/request.js';

const TIMEOUT_MS = 10_000;

/** Counts what a pool reports. */
export class RecordingCounters implements UpstreamCounters {
  opened = 0;
  closed = 0;
  idle = 0;
  retried = 0;
  http2 = 0;
  readonly guards: string[] = [];
  shortages = 0;
  high = 0;
  connectionOpened(): void {
    this.opened++;
  }
  connectionClosed(): void {
    this.closed++;
  }
  idleChanged(_version: VersionPlan, change: number): void {
    this.idle += change;
  }
  handshakes = 0;
  resumed = 0;
  handshakeDone(_version: VersionPlan, resumed: boolean): void {
    this.handshakes++;
    if (resumed) this.resumed++;
  }
  connectionsHigh(): void {
    this.high++;
  }
  outOfResources(): void {
    this.shortages++;
  }
  requestRetried(): void {
    this.retried++;
  }
  http2Changed(_version: VersionPlan, change: number): void {
    this.http2 += change;
  }
  http2Guard(_version: VersionPlan, guard: Guard): void {
    this.guards.push(guardNames[guard]);
  }
  waiting = 0;
  queueFull = 0;
  queueTimeouts = 0;
  ejected = 0;
  ejections = 0;
  waitingChanged(_version: VersionPlan, change: number): void {
    this.waiting += change;
  }
  queueRefused(): void {
    this.queueFull++;
  }
  queueTimedOut(): void {
    this.queueTimeouts++;
  }
  waitingUploads = 0;
  slowUploads = 0;
  waitingUploadsChanged(_version: VersionPlan, change: number): void {
    this.waitingUploads += change;
  }
  slowUploadEnded(): void {
    this.slowUploads++;
  }
  ejectedChanged(_version: VersionPlan, change: number): void {
    this.ejected += change;
    if (change > 0) this.ejections++;
  }
  /** The words of each failure of an endpoint, with the time of its ejection where there is one. */
  readonly failed: string[] = [];
  readonly back: boolean[] = [];
  endpointFailed(_version: VersionPlan, _endpoint: Endpoint, error: EndpointError, ejectedMs: number): void {
    this.failed.push(ejectedMs === 0 ? causeText(error) : `${causeText(error)}, out for ${ejectedMs}`);
  }
  endpointBack(_version: VersionPlan, _endpoint: Endpoint, answered: boolean): void {
    this.back.push(answered);
  }
}

/** What the configuration fills in. */
export const upstreamDefaults = {
  protocol: 'http1',
  streamsMax: 128,
  queueMax: 1024,
  queueTimeoutMs: 5_000,
  dnsRefreshMs: 10_000,
  health: null,
  ejection: { failures: 5, errors: 0, baseTimeMs: 1000, maxTimeMs: 30_000, maxShareMillionths: 500_000 },
  slowStartMs: 10_000,
} as const;

export function endpointOn(port: number): EndpointPlan {
  return {
    address: { kind: 'tcp', host: '127.0.0.1', port },
    authority: `127.0.0.1:${port}`,
    secure: false,
    weight: 1,
  };
}

export function planFor(ports: readonly number[], changes: Partial<VersionPlan> = {}): VersionPlan {
  return {
    name: 'v1',
    endpoints: ports.map(endpointOn),
    connectionsMax: 16,
    idleMs: 60_000,
    connectTimeoutMs: 5_000,
    ...upstreamDefaults,
    tls: null,
    ...changes,
  };
}

/** A pool with resources of its own. */
export class TestPool extends VersionPool {
  readonly counted: RecordingCounters;
  constructor(
    ports: readonly number[],
    changes: Partial<VersionPlan> = {},
    heldBytesMax?: number,
    clock: Clock = nowUs,
  ) {
    const counted = new RecordingCounters();
    super(planFor(ports, changes), new UpstreamResources(clock, counted, heldBytesMax));
    this.counted = counted;
  }
}

/** One call and every event of its sink, in order. */
export class Exchange extends EventEmitter implements ResponseSink, TunnelSink {
  tunnel: UpstreamTunnel | null = null;
  readonly calls = new Calls(this);
  readonly events: string[] = [];
  /** Interim statuses with their forwarded heads. */
  readonly interims: string[] = [];
  head = '';
  body = '';
  trailers = '';
  failure = '';
  sent = 0;
  drains = 0;
  over = false;
  /** Runs inside the event of this name. */
  readonly hooks = new Map<string, () => void>();

  get call(): Call {
    return this.calls.current;
  }

  /** Starts a request; a body is the caller's to write. */
  send(pool: VersionPool, changes: RequestChanges = {}): this {
    this.calls.start(pool, requestOf(changes));
    return this;
  }

  /** Starts a request without a body. */
  get(pool: VersionPool, method = 'GET', timeoutMs = TIMEOUT_MS): this {
    return this.send(pool, { method, totalMs: timeoutMs });
  }

  /** Asks for another protocol. */
  upgrade(pool: VersionPool, protocol = 'chat'): this {
    return this.send(pool, { upgrade: protocol });
  }

  /** Starts a request with a body, of which `pieces` are written at once; the last of them ends it. */
  post(
    pool: VersionPool,
    framing: Framing,
    contentLength: number,
    pieces: readonly string[],
    timeoutMs = TIMEOUT_MS,
  ): this {
    this.send(pool, { method: 'POST', framing, contentLength, totalMs: timeoutMs });
    return this.#write(pieces);
  }

  /** `put` is `post` with a method that is idempotent. */
  put(pool: VersionPool, framing: Framing, contentLength: number, pieces: readonly string[]): this {
    this.send(pool, { method: 'PUT', framing, contentLength });
    return this.#write(pieces);
  }

  #write(pieces: readonly string[]): this {
    pieces.forEach((piece, i) => {
      this.call.write(Buffer.from(piece, 'latin1'), i === pieces.length - 1);
    });
    return this;
  }

  /** Resolves when the exchange is over, either way. */
  async end(): Promise<this> {
    if (!this.over) await once(this, 'over');
    return this;
  }

  /** Resolves at the next event of this name, or at once if there was one. */
  async until(event: string): Promise<this> {
    if (!this.events.includes(event)) await once(this, event);
    return this;
  }

  batch(run: () => void): void {
    this.emit('batch-start');
    run();
    this.emit('batch-end');
  }
  onResponseTrailers(lines: string): void {
    this.trailers += lines;
  }
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void {
    this.head = forwarded(head);
    this.tunnel = tunnel;
    tunnel.attach(this);
    this.over = true;
    this.#note('switch');
    this.emit('over');
  }

  onTunnelData(bytes: Uint8Array): void {
    this.body += Buffer.from(bytes).toString('latin1');
    this.#note('tunnel data');
  }
  onTunnelDrain(): void {
    this.#note('tunnel drain');
  }
  onTunnelEnd(): void {
    this.#note('tunnel end');
  }
  onTunnelClosed(): void {
    this.#note('tunnel closed');
  }

  onInterim(head: ResponseHead): void {
    this.interims.push(forwarded(head));
    this.#note('interim');
  }
  onHead(head: ResponseHead): void {
    this.head = forwarded(head);
    this.#note('head');
  }
  onResponseBody(bytes: Uint8Array): void {
    this.body += Buffer.from(bytes).toString('latin1');
    this.#note('body');
  }
  onEnd(): void {
    this.over = true;
    this.#note('end');
    this.emit('over');
  }
  onFailure(failure: Failure): void {
    this.failure = failureReasons[failure];
    this.over = true;
    this.#note('failure');
    this.emit('over');
  }
  onDrain(): void {
    this.drains++;
    this.#note('drain');
  }
  onSent(): void {
    this.sent++;
    this.#note('sent');
  }

  #note(event: string): void {
    this.events.push(event);
    this.hooks.get(event)?.();
    this.emit(event);
  }
}

const out = Buffer.alloc(64 * 1024);

function forwarded(head: ResponseHead): string {
  return out.toString('latin1', 0, head.writeForward(out, Without.NOTHING));
}
