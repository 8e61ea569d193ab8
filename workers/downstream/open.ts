/** Opens listeners with the engine that fits: the one place that knows which engines there are. */
import type { Address, ListenerPlan } from '../../core/plan.js';
import { ThreadField, type ThreadLedger } from '../../core/record/thread-ledger.js';
import type { Acceptor, Downstream, RequestHandler } from './downstream.js';
import { UwsAcceptor } from './uws/acceptor.js';
import type { Uws, UwsDescriptor } from './uws/binding.js';
import { UwsDownstream } from './uws/engine.js';
import { loadUws } from './uws/load.js';

export const engineName = 'uws';

/** Throws one line with cause and cure where the engine can't be loaded. Main calls it before any thread is started. */
export function requireEngine(): Uws {
  const loaded = loadUws();
  if (loaded.kind === 'loaded') return loaded.uws;
  throw new Error(`uWebSockets.js can't be used: ${loaded.reason}. ${loaded.cure}`);
}

/** Main thread. Rejects with one line that names the address if it can't be bound. */
export async function openAcceptor(listener: ListenerPlan): Promise<Acceptor> {
  const acceptor = await UwsAcceptor.listen(requireEngine(), listener);
  const children = new Map<number, UwsDescriptor>();
  return {
    url: urlOf(listener, acceptor.port),
    addChild(index, descriptor) {
      children.set(index, descriptor as UwsDescriptor);
      acceptor.addChild(descriptor as UwsDescriptor);
    },
    removeChild(index) {
      const child = children.get(index);
      if (child === undefined) return;
      children.delete(index);
      acceptor.removeChild(child);
    },
    stopListening: () => acceptor.stopListening(),
    close: () => acceptor.close(),
  };
}

export interface OpenDownstreams {
  readonly downstreams: readonly Downstream[];
  /** By listener: what main's acceptors need. Goes through `postMessage`. */
  readonly descriptors: readonly unknown[];
}

/** Proxy thread. One downstream for each listener. */
export function openDownstreams(
  listeners: readonly ListenerPlan[],
  handler: RequestHandler,
  ledger: ThreadLedger,
): OpenDownstreams {
  const uws = requireEngine();
  const counters = {
    accepted: () => {
      ledger.add(ThreadField.ACCEPTED);
      ledger.add(ThreadField.CONNECTIONS);
    },
    closed: () => ledger.add(ThreadField.CONNECTIONS, -1),
    refused: () => ledger.add(ThreadField.REFUSED),
  };
  const downstreams = listeners.map((listener) => new UwsDownstream(uws, listener.tls, handler, counters));
  return { downstreams, descriptors: downstreams.map((downstream) => downstream.descriptor()) };
}

function urlOf({ address, tls }: ListenerPlan, port: number): string {
  return addressUrl(tls === null ? 'http' : 'https', address, port);
}

/** An address as people write it, with the port that was really bound. */
export function addressUrl(scheme: 'http' | 'https', address: Address, port: number): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${scheme}://${host}:${port}`;
}
