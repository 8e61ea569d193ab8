import { Framing } from '../../../core/http/message.js';
import { RequestFault } from '../../../core/http/request-fault.js';
import { limits } from '../../../core/limits.js';
import type { ListenerPlan } from '../../../core/plan.js';
import type { Downstream, DownstreamCounters, RequestHandler } from '../downstream.js';
import { newApp } from './app.js';
import type { Uws, UwsApp, UwsDescriptor, UwsRequest, UwsResponse, UwsUpgradeContext } from './binding.js';
import { HeadWriter } from './head-writer.js';
import { RequestReader } from './request.js';
import { type ResponderOwner, UwsResponder } from './responder.js';
import { type BridgeOwner, type WebSocketBridge, webSocketBehavior } from './websocket.js';

/** `setInterval`'s longest; the timer does nothing but keep the thread's loop alive. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * One uWS child app on a proxy thread. It has no port: main's `UwsAcceptor` hands connections to its descriptor.
 *
 * Leaving has one safe order, anything else aborts the process: main takes the descriptor out of the acceptor, then
 * this thread (after `drain`, if there is time) calls `leave`, and exits when that has resolved.
 */
export class UwsDownstream implements Downstream, ResponderOwner, BridgeOwner {
  readonly handler: RequestHandler;
  readonly headWriter = new HeadWriter();
  draining = false;

  readonly #app: UwsApp;
  readonly #counters: DownstreamCounters;
  readonly #reader: RequestReader;
  readonly #pool: UwsResponder[] = [];
  /** Responders that must be looked at in the next turn. */
  readonly #late: UwsResponder[] = [];
  readonly #keepAlive: NodeJS.Timeout;
  readonly #openLate = (): void => this.#runLate();
  readonly #bridges = new Set<WebSocketBridge>();
  #connections = 0;
  /** Requests without a complete response. */
  #active = 0;
  #drained: (() => void) | null = null;

  constructor(uws: Uws, tls: ListenerPlan['tls'], handler: RequestHandler, counters: DownstreamCounters) {
    this.handler = handler;
    this.#counters = counters;
    this.#reader = new RequestReader(tls !== null);
    this.#app = newApp(uws, tls);
    this.#app.setIdleTimeout(limits.downstreamReadIdleSeconds);
    this.#app.setResponseTimeout(limits.downstreamWriteIdleSeconds);
    this.#app.filter((_res, change) => this.#count(change));
    this.#app.ws('/*', {
      ...webSocketBehavior,
      upgrade: (res, req, context) => this.#take(res, req, context),
      open: (ws) => ws.getUserData().bridge.onOpen(ws),
      message: (ws, message, isBinary) => ws.getUserData().bridge.onMessage(message, isBinary),
      drain: (ws) => ws.getUserData().bridge.onDrain(),
      close: (ws, code, reason) => ws.getUserData().bridge.onClose(code, reason),
    });
    this.#app.any('/*', (res, req) => this.#take(res, req, null));
    // The thread that sleeps in uWS's sockets alone ends: they are not handles that Node counts.
    this.#keepAlive = setInterval(() => {}, LONGEST_TIMER_MS);
  }

  /** For `UwsAcceptor.addChild`, on main. Plain data: goes through `postMessage`. */
  descriptor(): UwsDescriptor {
    return this.#app.getDescriptor();
  }

  connections(): number {
    return this.#connections;
  }

  /** Requests that have no complete response yet. */
  active(): number {
    return this.#active;
  }

  /**
   * Answers what is in flight, and what still comes on kept connections, with `Connection: close`; resolves when
   * nothing is in flight. The acceptor must have let this child go before. Idle connections stay open until `close`:
   * uWS has no way to name them.
   */
  drain(): Promise<void> {
    this.draining = true;
    for (const bridge of [...this.#bridges]) bridge.goAway();
    if (this.#active === 0 && this.#bridges.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  close(): void {
    clearInterval(this.#keepAlive);
    this.#app.close();
  }

  /**
   * `close`, and then again each turn until no connection is left: one that the acceptor handed over just before it
   * let this child go may arrive after the first `close`, and a thread that ends with an open one takes the process along.
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
    // uWS's filter does not tell of it.
    this.#count(-1);
    this.#tellDrained();
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
      responder.startRefused(res, fault);
      this.#callLate(responder);
    } else if (responder.head.framing === Framing.NONE) {
      responder.start(res, context, responder.head.upgrade === '' ? '' : this.#reader.webSocketKey);
    } else {
      responder.startWithBody(res);
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

  #count(change: number): void {
    this.#connections += change;
    if (change > 0) this.#counters.accepted();
    else this.#counters.closed();
  }
}

/** Turns of the loop in which a connection that is under way between two threads certainly arrives. */
const TURNS_TO_ARRIVE = 3;
