/**
 * Main's side of the listeners: which engine serves each, and the acceptor that hands its connections out.
 */
import type { MessagePort } from 'node:worker_threads';
import type { EngineChoice, ListenerPlan } from '../../core/plan.js';
import type { Acceptor } from './downstream.js';
import type { InheritedSocket } from './inherited.js';
import { addressName, addressUrl } from './listen-address.js';
import { canTakeOver, NodeAcceptor } from './node/acceptor.js';
import { UwsAcceptor } from './uws/acceptor.js';
import type { UwsDescriptor } from './uws/binding.js';
import { loadUws, requireUws } from './uws/load.js';

export type EngineName = Exclude<EngineChoice, 'auto'>;

/** The listeners, each with the engine that serves it. */
export interface SettledEngines {
  readonly listeners: readonly ListenerPlan[];
  /**
   * One line that says why `auto` did not choose the engine that a takeover needs; null in all other cases.
   */
  readonly warning: string | null;
}

/**
 * `settleEngines` replaces `auto` by `node`, which serves every listener
 * (docs/decisions/077-node-serves-by-default.md). The exception is a process that was started with
 * `--takeover` (`mayTakeOver`): a listener whose socket the node engine cannot take over gets `uws` where it
 * loads, and no HTTP/2 then. uws is loaded only if a listener needs it.
 *
 * Main thread, before any other thread is started. Throws an Error of one line, with cause and cure, where a
 * listener asks for uws and it cannot be loaded, or where it has a socket of systemd's (`inherited`, by
 * listener), which only the node engine can listen on.
 */
export function settleEngines(
  asked: readonly ListenerPlan[],
  inherited: readonly (InheritedSocket | null)[] = [],
  mayTakeOver = false,
): SettledEngines {
  const wanted = asked.map((listener, index): EngineName => {
    if (inherited[index] != null) return engineOfInherited(listener);
    if (listener.engine !== 'auto') return listener.engine;
    return mayTakeOver && !canTakeOver(listener.address) && !asksForHttp2(listener) ? 'uws' : 'node';
  });
  const first = asked.find((_, index) => wanted[index] === 'uws');
  if (first === undefined) return { listeners: asked.map(onNode), warning: null };
  const loaded = loadUws(first.limits.headBytesMax);
  if (loaded.kind === 'loaded')
    return { listeners: asked.map((listener, i) => withEngine(listener, wanted[i])), warning: null };
  const why = `uWebSockets.js can't be used: ${loaded.reason}`;
  if (asked.some(({ engine }) => engine === 'uws')) throw new Error(`${why}. ${loaded.cure}`);
  return {
    listeners: asked.map(onNode),
    warning: `${why}; a takeover of ${addressName(first.address)} needs it`,
  };
}

/**
 * `asksForHttp2` returns true for a plain port with h2, which it never has by default. Over TLS a client that
 * is not offered HTTP/2 speaks HTTP/1.
 */
function asksForHttp2({ tls, protocols }: ListenerPlan): boolean {
  return tls === null && protocols.includes('h2');
}

function engineOfInherited({ engine, address }: ListenerPlan): EngineName {
  if (engine !== 'uws') return 'node';
  throw new Error(
    `uWebSockets.js can't listen on a socket that is open already, and LISTEN_FDS passes ${addressName(address)}. ` +
      'Set engine: node or auto',
  );
}

function onNode(listener: ListenerPlan): ListenerPlan {
  return withEngine(listener, 'node');
}

function withEngine(listener: ListenerPlan, engine: EngineName): ListenerPlan {
  if (listener.engine !== 'auto') return listener;
  return engine === 'uws' ? { ...listener, engine, protocols: ['http1'] } : { ...listener, engine };
}

/** The engines that serve: `uws`, `node`, or both. */
export function engineNames(listeners: readonly ListenerPlan[]): string {
  return [...new Set(listeners.map(({ engine }) => engine))].sort().join(',');
}

/**
 * Main thread. `takeover`: the address may be another process's. Rejects with one line that names the address
 * if it can't be bound.
 */
export async function openAcceptor(
  listener: ListenerPlan,
  takeover: boolean,
  inherited: InheritedSocket | null,
): Promise<Acceptor> {
  return listener.engine === 'node'
    ? openNodeAcceptor(listener, takeover, inherited)
    : openUwsAcceptor(listener, takeover);
}

async function openUwsAcceptor(listener: ListenerPlan, takeover: boolean): Promise<Acceptor> {
  const acceptor = await UwsAcceptor.listen(requireUws(), listener, takeover);
  const children = new Map<number, UwsDescriptor>();
  return {
    url: urlOf(listener, acceptor.port),
    addChild(index, descriptor) {
      const before = children.get(index);
      children.set(index, descriptor as UwsDescriptor);
      acceptor.addChild(descriptor as UwsDescriptor);
      if (before !== undefined) acceptor.removeChild(before);
    },
    removeChild(index) {
      const child = children.get(index);
      if (child === undefined) return;
      children.delete(index);
      acceptor.removeChild(child);
    },
    settled: () => Promise.resolve(),
    stopListening: () => acceptor.stopListening(),
    close: () => acceptor.close(),
  };
}

async function openNodeAcceptor(
  listener: ListenerPlan,
  takeover: boolean,
  inherited: InheritedSocket | null,
): Promise<Acceptor> {
  const acceptor =
    inherited === null
      ? await NodeAcceptor.listen(listener, takeover)
      : NodeAcceptor.adopt(listener, inherited);
  return {
    url: urlOf(listener, acceptor.port),
    addChild: (index, descriptor) => acceptor.addChild(index, descriptor as MessagePort),
    removeChild: (index) => acceptor.removeChild(index),
    settled: () => acceptor.settled(),
    stopListening: () => acceptor.stopListening(),
    close: () => acceptor.close(),
  };
}

function urlOf({ address, tls }: ListenerPlan, port: number): string {
  return addressUrl(tls === null ? 'http' : 'https', address, port);
}
