/** A forwarder with one route to a real server, and an engine's side that records what it gets. */
import { nowUs } from '../../../core/clock.js';
import type { RequestSink, Responder } from '../../../core/exchange/downstream.js';
import { Forwarder } from '../../../core/exchange/forwarder.js';
import { ProxyRuntime, RouteHandling, RouteRuntime } from '../../../core/exchange/runtime.js';
import { Framing, RequestHead } from '../../../core/http/message.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { FullSlots } from '../../../core/mirror/full-slots.js';
import { HeldBack } from '../../../core/mirror/held-back.js';
import { MirrorOffer } from '../../../core/mirror/offer.js';
import { MirrorPort } from '../../../core/mirror/port.js';
import type { Plan, RoutePlan } from '../../../core/plan.js';
import { AccessLogPort } from '../../../core/record/access-log.js';
import { ThreadCounters } from '../../../core/record/thread-counters.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing } from '../../../core/ring/layout.js';
import { RingWriter } from '../../../core/ring/writer.js';
import { Sampler } from '../../../core/route/sampler.js';
import type { TunnelSink, UpstreamTunnel } from '../../../core/upstream/tunnel.js';
import { route as routeOf, tableOf } from '../route/support.js';
import { TestPool } from '../upstream/exchange.js';

const ringBytes = 64 * 1024;

/** Records the events of the client's end of a tunnel. */
class ToldTunnel implements TunnelSink {
  text = '';
  readonly events: string[] = [];
  onTunnelData(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString('latin1');
  }
  onTunnelDrain(): void {
    this.events.push('drain');
  }
  onTunnelEnd(): void {
    this.events.push('end');
  }
  onTunnelClosed(): void {
    this.events.push('closed');
  }
}

/** Records what an engine gets of one response, in order. */
export class RecordingResponder implements Responder {
  readonly tie = null;
  readonly events: string[] = [];
  body = '';
  /** What `sendBody` answers. */
  hasRoom = true;
  /** What `recallHead` answers. */
  holdsHead = false;
  /** What `finishEarly` answers. */
  readsOn = true;
  over = false;
  tunnel: UpstreamTunnel | null = null;
  readonly tunnelSink = new ToldTunnel();
  #wake: (() => void)[] = [];

  batch(run: () => void): void {
    run();
  }
  sendInterim(head: ResponseHead): void {
    this.#note(`interim ${head.status}`);
  }
  sendHead(head: ResponseHead): void {
    this.#note(`head ${head.status}`);
  }
  recallHead(): boolean {
    if (this.holdsHead) this.#note('recall head');
    return this.holdsHead;
  }
  sendBody(bytes: Uint8Array): boolean {
    this.body += Buffer.from(bytes).toString('latin1');
    this.#note('body');
    return this.hasRoom;
  }
  sendTrailers(lines: string): void {
    this.#note(`trailers ${lines.trim()}`);
  }
  switchProtocols(head: ResponseHead, tunnel: UpstreamTunnel): void {
    this.tunnel = tunnel;
    tunnel.attach(this.tunnelSink);
    this.#end(`switch ${head.status}`);
  }
  finish(): void {
    this.#end('finish');
  }
  answer(status: number, body: string): void {
    this.#end(`answer ${status} ${body.trim()}`);
  }
  cut(trailers = ''): void {
    this.#end(`cut ${trailers.trim()}`.trim());
  }
  pauseBody(): void {
    this.#note('pause');
  }
  resumeBody(): void {
    this.#note('resume');
  }
  clientAddress(): string {
    return '10.0.0.1';
  }
  clientPort(): number {
    return 4711;
  }
  finishEarly(): boolean {
    this.#end('finish early');
    return this.readsOn;
  }
  connectionKey(): number {
    return 1;
  }

  async until(event: string): Promise<this> {
    while (!this.events.includes(event)) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this;
  }

  async end(): Promise<this> {
    while (!this.over) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this;
  }

  #end(event: string): void {
    if (this.over) throw new Error(`${event} after the end`);
    this.over = true;
    this.#note(event);
  }

  #note(event: string): void {
    this.events.push(event);
    for (const wake of this.#wake.splice(0)) wake();
  }
}

export class ExchangeRig {
  readonly pool: TestPool;
  readonly version = new VersionCounters(VersionCounters.create());
  readonly thread = new ThreadCounters(ThreadCounters.create());
  readonly forwarder: Forwarder;

  /** The version that answers what the first one was not given, where there is one. */
  readonly stable = new VersionCounters(VersionCounters.create());
  /** The first version on this route alone. */
  readonly own = new VersionCounters(VersionCounters.create());

  constructor(port: number, changes: Partial<RoutePlan> = {}, stablePort: number | null = null) {
    this.pool = new TestPool([port]);
    const writer = new RingWriter(createRing(ringBytes), new Doorbell(createDoorbell()));
    const log = new AccessLogPort(
      new RingWriter(createRing(ringBytes), new Doorbell(createDoorbell())),
      this.thread,
      () => 0,
      () => {},
    );
    const sampler = new Sampler('umbra', () => 0);
    const mirrors = new MirrorOffer(
      [new MirrorPort(writer, () => {})],
      [new FullSlots(FullSlots.create())],
      sampler,
      new HeldBack(HeldBack.create()),
    );
    const route: RoutePlan = {
      ...routeOf({ path: { kind: 'prefix', value: '/reviews', ignoreCase: false } }),
      name: 'reviews',
      timeouts: { requestMs: 10_000, requestUntilEnd: false, firstByteMs: 0, idleMs: 0, totalMs: 0 },
      ...changes,
    };
    const plan = { generation: 1, routes: [route] } as unknown as Plan;
    const [primary] = route.primaries;
    const fallback =
      stablePort === null
        ? null
        : new RouteRuntime(route, primary, new TestPool([stablePort]), this.stable, [], sampler);
    const runtime = new ProxyRuntime(plan, tableOf([route]), [
      new RouteHandling(
        route,
        [new RouteRuntime(route, primary, this.pool, this.version, [], sampler, this.own, fallback)],
        sampler,
      ),
    ]);
    this.forwarder = new Forwarder(runtime, mirrors, this.thread, log, nowUs);
  }

  /** One request as an engine hands it over. */
  ask(changes: Partial<RequestHead> = {}): { told: RecordingResponder; sink: RequestSink } {
    const told = new RecordingResponder();
    const head = Object.assign(new RequestHead(), { target: '/reviews', host: 'reviews' }, changes);
    return { told, sink: this.forwarder.forward(head, told, Number.MAX_SAFE_INTEGER) };
  }

  upload(contentLength: number): { told: RecordingResponder; sink: RequestSink } {
    return this.ask({ method: 'POST', framing: Framing.LENGTH, contentLength });
  }
}
