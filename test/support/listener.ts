/**
 * Listeners for the tests of engines and acceptors: plans with the defaults of the configuration, edges that
 * add nothing.
 */
import { nowUs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import type { ListenerLimits, ListenerPlan, ListenerTlsPlan } from '../../core/plan.js';
import { ConnectionCount, createConnectionCounts } from '../../core/record/connection-count.js';
import { Deadlines } from '../../core/upstream/deadlines.js';
import type { DownstreamCounters, RequestHandler } from '../../workers/downstream/downstream.js';
import type { UwsParts } from '../../workers/downstream/uws/engine.js';

const MS_60S = 60_000;

export function listenerPlan(
  listener: Pick<ListenerPlan, 'address' | 'engine'> & Partial<ListenerPlan>,
  bounds: Partial<ListenerLimits> = {},
): ListenerPlan {
  return {
    protocols: ['http1'],
    socketMode: null,
    tls: null,
    limits: {
      connectionsMax: limits.downstreamConnections,
      idleMs: MS_60S,
      abortsHalfClosed: false,
      headBytesMax: limits.requestHeadBytes,
      headMs: MS_60S,
      bodyBytesMax: null,
      bodyMs: MS_60S,
      responseMs: MS_60S,
      ...bounds,
    },
    edge: {
      forwarded: { mode: 'off', as: 'x-forwarded' },
      via: null,
      requestId: 'off',
      trusted: null,
      underscores: 'drop',
      normalizesPath: true,
      mergesSlashes: false,
    },
    ...listener,
  };
}

export function tlsOf(certPath: string, keyPath: string, cert: string, key: string): ListenerTlsPlan {
  return { cert: { path: certPath, pem: cert }, key: { path: keyPath, pem: key } };
}

export const noCounters: DownstreamCounters = {
  accepted: () => {},
  closed: () => {},
  turnedAway: () => {},
  handshakeStarted: () => {},
  handshakeEnded: () => {},
  tunnelOpened: () => {},
  tunnelClosed: () => {},
  http2Opened: () => {},
  http2Closed: () => {},
  http2Request: () => {},
  http2Guard: () => {},
  webSocketHeldChanged: () => {},
  webSocketGaveWay: () => {},
  refused: () => {},
  timedOut: () => {},
};

/** What a uws engine alone on its thread works with. */
export function uwsParts(handler: RequestHandler, counters: DownstreamCounters = noCounters): UwsParts {
  return { handler, counters, count: oneCount(), deadlines: new Deadlines(nowUs), clock: nowUs };
}

/** Counters of one listener on one thread. */
export function oneCount(): ConnectionCount {
  return new ConnectionCount(createConnectionCounts(1, 1), 0, 0, 1);
}
