import type { Clock } from '../../../core/clock.js';
import { Failure } from '../../../core/errors.js';
import { Framing } from '../../../core/http/message.js';
import { RequestFault } from '../../../core/http/request-fault.js';
import type { ListenerLimits, ListenerPlan } from '../../../core/plan.js';
import type { ConnectionCount } from '../../../core/record/connection-count.js';
import type { Deadlines } from '../../../core/upstream/deadlines.js';
import type { ClientTimeout, Downstream, DownstreamCounters, RequestHandler } from '../downstream.js';
import { sameCertificate } from '../same-certificate.js';
import { newApp } from './app.js';
import type { Uws, UwsApp, UwsDescriptor, UwsRequest, UwsResponse, UwsUpgradeContext } from './binding.js';
import { CorkHolder } from './cork-holder.js';
import { HeadWriter } from './head-writer.js';
import { RequestReader } from './request.js';
import { type ResponderOwner, UwsResponder } from './responder.js';
import { type BridgeOwner, type WebSocketBridge, webSocketBehavior } from './websocket.js';
import { WebSocketBytes } from './websocket-bytes.js';

/** `setInterval`'s longest; the timer does nothing but keep the thread's loop alive. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What an engine works with. Deadlines and clock are the thread's. */
export interface UwsParts {
  readonly handler: RequestHandler;
  readonly counters: DownstreamCounters;
  readonly count: ConnectionCount;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
}

/** One app, and how many connections it has. */
interface ChildApp {
  readonly app: UwsApp;
  connections: number;
}

/**
 * One uWS child app on a proxy thread. It has no port: main's `UwsAcceptor` hands connections to its
 * descriptor.
 *
 * Leaving has one safe order, anything else aborts the process: main takes the descriptor out of the
 * acceptor, then this thread (after `drain`, if there is time) calls `leave`, and exits when that has
 * resolved.
 */
export class UwsDownstream implements Downstream, ResponderOwner, BridgeOwner {
  readonly handler: RequestHandler;
  readonly headWriter = new HeadWriter();
  draining = false;
  abortReason: Failure = Failure.ABORTED;

  limits: ListenerLimits;
  readonly deadlines: Deadlines;
  readonly clock: Clock;

  readonly #uws: Uws;
  #tls: ListenerPlan['tls'];
  /** The first one takes new connections; the others have an older certificate. */
  readonly #apps: ChildApp[];
  readonly #counters: DownstreamCounters;
  readonly #count: ConnectionCount;
  #turningAway = false;
  readonly #reader: RequestReader;
  readonly #pool: UwsResponder[] = [];
  /** Responders that must be looked at in the next turn. */
  readonly #late: UwsResponder[] = [];
  readonly #keepAlive: NodeJS.Timeout;
  /** Null once the engine has closed. */
  #corkHolder: CorkHolder | null;
  readonly #openLate = (): void => this.#runLate();
  readonly #bridges = new Set<WebSocketBridge>();
  readonly #webSocketBytes: WebSocketBytes;
  #connections = 0;
  /** Requests without a complete response. */
  #active = 0;
  #drained: (() => void) | null = null;
  #handedOver: (() => void) | null = null;

  constructor(uws: Uws, listener: ListenerPlan, parts: UwsParts) {
    const { handler, counters, count, deadlines, clock } = parts;
    this.#uws = uws;
    this.handler = handler;
    this.limits = listener.limits;
    this.#tls = listener.tls;
    this.#counters = counters;
    this.#webSocketBytes = new WebSocketBytes(this.#bridges, counters);
    this.#count = count;
    this.deadlines = deadlines;
    this.clock = clock;
    this.#reader = new RequestReader(listener.tls !== null);
    this.#apps = [this.#newApp()];
    this.#corkHolder = CorkHolder.ofThread(uws);
    // The thread that sleeps in uWS's sockets alone ends: they are not handles that Node counts.
    this.#keepAlive = setInterval(() => {}, LONGEST_TIMER_MS);
  }

  /**
   * uWS can't change an app's certificate. So another certificate is another app: new connections go to it as
   * soon as main has its descriptor, those that are open stay with the old one, which is closed when the last
   * of them is gone.
   */
  use({ limits, tls }: ListenerPlan): UwsDescriptor | null {
    this.limits = limits;
    this.#closeLeftApps();
    const before = this.#tls;
    this.#tls = tls;
    if (sameCertificate(tls, before)) {
      for (const { app } of this.#apps) this.#setTimeouts(app);
      return null;
    }
    try {
      this.#apps.unshift(this.#newApp());
    } catch (error) {
      this.#tls = before;
      throw error;
    }
    return this.descriptor();
  }

  /** For `UwsAcceptor.addChild`, on main. Plain data: goes through `postMessage`. */
  descriptor(): UwsDescriptor {
    return this.#apps[0]!.app.getDescriptor();
  }

  connections(): number {
    return this.#connections;
  }

  /** Requests that have no complete response yet. */
  active(): number {
    return this.#active;
  }

  /**
   * Answers what is in flight, and what still comes on kept connections, with `Connection: close`; resolves
   * when nothing is in flight. The acceptor must have let this child go before. Idle connections stay open
   * until `close`: uWS has no way to name them.
   */
  drain(): Promise<void> {
    this.draining = true;
    for (const bridge of [...this.#bridges]) bridge.goAway();
    if (this.#active === 0 && this.#bridges.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  handOver(): Promise<void> {
    this.draining = true;
    for (const bridge of [...this.#bridges]) bridge.goAway();
    if (this.#connections === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#handedOver = resolve;
    });
  }

  close(): void {
    // A thread that was not asked to drain has failed.
    this.abortReason = this.draining ? Failure.DRAINING : Failure.THREAD_ENDED;
    clearInterval(this.#keepAlive);
    // Called again each turn by a thread that leaves.
    this.#corkHolder?.letGo();
    this.#corkHolder = null;
    for (const { app } of this.#apps) app.close();
  }

  /**
   * `close`, and then again each turn until no connection is left: one that the acceptor handed over just
   * before it let this child go may arrive after the first `close`, and a thread that ends with an open one
   * takes the process along.
   */
  leave(): Promise<void> {
    return new Promise((resolve) => {
      const step = (turnsLeft: number): void => {
        this.close();
        if (this.#connections === 0 && turnsLeft <= 0) resolve();
        else setImmediate(step, turnsLeft - 1);
      };
      step(TURNS_TO_ARRIVE);
    });
  }

  onTimedOut(what: ClientTimeout): void {
    this.#counters.timedOut(what);
  }

  onRefused(): void {
    this.#counters.refused();
  }

  onReleased(): void {
    this.#active--;
    this.#tellDrained();
  }

  onReusable(responder: UwsResponder): void {
    this.#pool.push(responder);
  }

  onBridgeOpened(bridge: WebSocketBridge): void {
    this.#bridges.add(bridge);
    this.#counters.tunnelOpened();
    if (this.draining) bridge.goAway();
  }

  onBridgeClosed(bridge: WebSocketBridge): void {
    this.#bridges.delete(bridge);
    this.#counters.tunnelClosed();
    this.#tellDrained();
  }

  onHeldChanged(bytes: number): void {
    this.#webSocketBytes.changed(bytes);
  }

  onGaveWay(): void {
    this.#counters.webSocketGaveWay();
  }

  corkElsewhere(run: () => void): void {
    if (this.#corkHolder === null) run();
    else this.#corkHolder.run(run);
  }

  #tellDrained(): void {
    if (this.#active > 0 || this.#bridges.size > 0) return;
    this.#drained?.();
    this.#drained = null;
  }

  /** `context` is there where uWS could make the connection a WebSocket. */
  #take(res: UwsResponse, req: UwsRequest, context: UwsUpgradeContext | null): void {
    const responder = this.#pool.pop() ?? new UwsResponder(this);
    this.#active++;
    const fault = this.#reader.read(req, responder.head, context !== null);
    if (fault !== RequestFault.NONE) {
      this.#counters.refused();
      responder.startRefused(res, fault, this.#reader.bodyAnnounced);
      this.#callLate(responder);
    } else if (responder.head.framing === Framing.NONE) {
      const key = responder.head.upgrade === '' ? '' : this.#reader.webSocketKey;
      responder.start(res, this.#reader.asksToClose, context, key);
    } else {
      responder.startWithBody(res, this.#reader.asksToClose);
      this.#callLate(responder);
    }
  }

  #callLate(responder: UwsResponder): void {
    this.#late.push(responder);
    if (this.#late.length === 1) setImmediate(this.#openLate);
  }

  #runLate(): void {
    // A responder that has come and gone since, or is here twice, is in a phase in which nothing happens.
    try {
      for (let i = 0; i < this.#late.length; i++) this.#late[i]!.openLate();
    } finally {
      this.#late.length = 0;
    }
  }

  #newApp(): ChildApp {
    const app = newApp(this.#uws, this.#tls);
    const child: ChildApp = { app, connections: 0 };
    this.#setTimeouts(app);
    app.filter((res, change) => this.#onChange(child, res, change));
    app.ws('/*', {
      ...webSocketBehavior,
      upgrade: (res, req, context) => this.#take(res, req, context),
      open: (ws) => ws.getUserData().bridge.onOpen(ws),
      message: (ws, message, isBinary) => ws.getUserData().bridge.onMessage(message, isBinary),
      drain: (ws) => ws.getUserData().bridge.onDrain(),
      close: (ws, code, reason) => {
        ws.getUserData().bridge.onClose(code, reason);
        // uWS's filter does not report it.
        this.#onClosed(child);
      },
    });
    app.any('/*', (res, req) => this.#take(res, req, null));
    return child;
  }

  /**
   * uWS has one timer for fresh connections, heads and uploads, and one for kept connections and readers, so
   * the longer time of each pair holds. It counts in steps of four seconds and may be early by one.
   */
  #setTimeouts(app: UwsApp): void {
    const { headMs, bodyMs, idleMs, responseMs } = this.limits;
    app.setIdleTimeout(secondsOf(Math.max(headMs, bodyMs)));
    app.setResponseTimeout(secondsOf(Math.max(idleMs, responseMs)));
  }

  #onChange(child: ChildApp, res: UwsResponse, change: number): void {
    if (change > 0) this.#onOpen(child, res);
    else if (!this.#turningAway) this.#onClosed(child);
  }

  #onOpen(child: ChildApp, res: UwsResponse): void {
    if (this.#count.open(this.limits.connectionsMax)) {
      this.#connections++;
      child.connections++;
      this.#counters.accepted();
      return;
    }
    this.#counters.turnedAway();
    this.#turningAway = true;
    // Calls the filter before it returns.
    res.close();
    this.#turningAway = false;
  }

  #onClosed(child: ChildApp): void {
    this.#connections--;
    child.connections--;
    this.#count.close();
    this.#counters.closed();
    if (this.#connections === 0) this.#handedOver?.();
  }

  /** Called with each plan: by then main has released the apps that an earlier one replaced. */
  #closeLeftApps(): void {
    for (let i = this.#apps.length - 1; i > 0; i--) {
      if (this.#apps[i]!.connections > 0) continue;
      this.#apps[i]!.app.close();
      this.#apps.splice(i, 1);
    }
  }
}

/** Turns of the loop in which a connection that is under way between two threads certainly arrives. */
const TURNS_TO_ARRIVE = 3;
const MS_PER_SECOND = 1000;
/** uWS's step. */
const STEP_SECONDS = 4;

function secondsOf(ms: number): number {
  return Math.ceil(ms / MS_PER_SECOND) + STEP_SECONDS;
}
