/** A proxy thread's side of the listeners: one downstream for each, by its engine. */
import type { MessagePort } from 'node:worker_threads';
import { nowUs } from '../../core/clock.js';
import { guardNames } from '../../core/http2/floods.js';
import type { ListenerPlan } from '../../core/plan.js';
import type { ConnectionCount } from '../../core/record/connection-count.js';
import type { Field } from '../../core/record/counter-table.js';
import { type ThreadCounters, ThreadField } from '../../core/record/thread-counters.js';
import { Deadlines } from '../../core/upstream/deadlines.js';
import type { Downstream, DownstreamCounters, RequestHandler } from './downstream.js';
import { NodeDownstream } from './node/engine.js';
import { NodeResources } from './node/resources.js';
import { UwsDownstream } from './uws/engine.js';
import { requireUws } from './uws/load.js';

export interface OpenDownstreams {
  readonly downstreams: readonly Downstream[];
  /** By listener: what main's acceptors need. Goes through `postMessage`. */
  readonly descriptors: readonly unknown[];
  /** Those of them that must be transferred. */
  readonly transfer: readonly MessagePort[];
}

/**
 * Proxy thread. One downstream for each listener, whose engines main has settled; handlers and counts are by
 * listener too.
 */
export function openDownstreams(
  listeners: readonly ListenerPlan[],
  handlers: readonly RequestHandler[],
  counts: readonly ConnectionCount[],
  threadCounters: ThreadCounters,
  ticketKeys: Uint8Array | null,
): OpenDownstreams {
  const counters: DownstreamCounters = {
    accepted: () => {
      threadCounters.add(ThreadField.accepted);
      threadCounters.add(ThreadField.connections);
    },
    closed: () => threadCounters.add(ThreadField.connections, -1),
    turnedAway: () => threadCounters.add(ThreadField.connectionsRefused),
    handshakeStarted: () => threadCounters.add(ThreadField.handshakes),
    handshakeEnded: (isSecure) => {
      threadCounters.add(ThreadField.handshakes, -1);
      if (!isSecure) threadCounters.add(ThreadField.handshakeFailures);
    },
    tunnelOpened: () => {
      threadCounters.add(ThreadField.upgrades);
      threadCounters.add(ThreadField.tunnels);
    },
    tunnelClosed: () => threadCounters.add(ThreadField.tunnels, -1),
    http2Opened: () => threadCounters.add(ThreadField.http2Connections),
    http2Closed: () => threadCounters.add(ThreadField.http2Connections, -1),
    http2Request: () => threadCounters.add(ThreadField.http2Requests),
    http2Guard: (guard) => threadCounters.add(guardFields[guard]!),
    webSocketHeldChanged: (bytes) => threadCounters.add(ThreadField.webSocketHeldBytes, bytes),
    webSocketGaveWay: () => threadCounters.add(ThreadField.webSocketsGaveWay),
    refused: () => threadCounters.add(ThreadField.refused),
    timedOut: (what) => threadCounters.add(timeoutFields[what]),
  };
  const downstreams: Downstream[] = [];
  const descriptors: unknown[] = [];
  const transfer: MessagePort[] = [];
  let resources: NodeResources | null = null;
  const deadlines = new Deadlines(nowUs);
  for (const [index, listener] of listeners.entries()) {
    const handler = handlers[index]!;
    const count = counts[index]!;
    if (listener.engine === 'node') {
      resources ??= new NodeResources(nowUs, ticketKeys);
      const downstream = new NodeDownstream(listener, handler, counters, resources, count);
      const port = downstream.descriptor();
      downstreams.push(downstream);
      descriptors.push(port);
      transfer.push(port);
    } else {
      const downstream = new UwsDownstream(requireUws(), listener, {
        handler,
        counters,
        count,
        deadlines,
        clock: nowUs,
      });
      downstreams.push(downstream);
      descriptors.push(downstream.descriptor());
    }
  }
  return { downstreams, descriptors, transfer };
}

/** By `ClientTimeout`. */
const timeoutFields = [
  ThreadField.headTimeouts,
  ThreadField.bodyTimeouts,
  ThreadField.idleTimeouts,
  ThreadField.responseTimeouts,
  ThreadField.handshakeTimeouts,
] as const;

const fieldByGuard: Readonly<Record<(typeof guardNames)[number], Field<'counter'>>> = {
  resets: ThreadField.http2Resets,
  frames: ThreadField.http2Frames,
  block: ThreadField.http2Block,
  lists: ThreadField.http2Lists,
  settings: ThreadField.http2Settings,
  window: ThreadField.http2Window,
  closed: ThreadField.http2Closed,
  output: ThreadField.http2Output,
  streams: ThreadField.http2Streams,
};
/** By `Guard`. */
const guardFields = guardNames.map((name) => fieldByGuard[name]);
