/** Main's side of the listeners: which engine serves each, and the acceptor that hands its connections out. */
import type { MessagePort } from 'node:worker_threads';
import type { EngineChoice, ListenerPlan } from '../../core/plan.js';
import type { Acceptor } from './downstream.js';
import type { InheritedSocket } from './inherited.js';
import { addressName, addressUrl } from './listen-address.js';
import { NodeAcceptor } from './node/acceptor.js';
import { UwsAcceptor } from './uws/acceptor.js';
import type { UwsDescriptor } from './uws/binding.js';
import { loadUws, requireUws } from './uws/load.js';

export type EngineName = Exclude<EngineChoice, 'auto'>;

/** The listeners with `auto` made into the engine that serves, and why it is not uws where it is not. */
export interface SettledEngines {
  readonly listeners: readonly ListenerPlan[];
  /** One line, where `auto` came to node. */
  readonly warning: string | null;
}

/**
 * Main calls it before any thread is started. Throws one line with cause and cure where a listener asks for uws and it
 * can't be loaded, or has a socket of systemd's (`inherited`, by listener), which the node engine alone can listen on. uws is loaded
 * only if a listener asks for it, or leaves the choice.
 */
export function settleEngines(
  asked: readonly ListenerPlan[],
  inherited: readonly (InheritedSocket | null)[] = [],
): SettledEngines {
  let passed: string | null = null;
  const listeners = asked.map((listener, index) => {
    if (inherited[index] == null || listener.engine === 'node') return listener;
    const why = `uWebSockets.js can't listen on a socket that is open already, and LISTEN_FDS passes ${addressName(listener.address)}`;
    if (listener.engine === 'uws') throw new Error(`${why}. engine: node can, and auto comes to it`);
    passed ??= why;
    return withEngine(listener, 'node');
  });
  const first = listeners.find(({ engine }) => engine !== 'node');
  if (first === undefined) return { listeners, warning: passed };
  const loaded = loadUws(first.limits.headBytesMax);
  if (loaded.kind === 'loaded') {
    return { listeners: listeners.map((listener) => withEngine(listener, 'uws')), warning: passed };
  }
  const why = `uWebSockets.js can't be used: ${loaded.reason}`;
  if (listeners.some(({ engine }) => engine === 'uws')) throw new Error(`${why}. ${loaded.cure}`);
  return { listeners: listeners.map((listener) => withEngine(listener, 'node')), warning: why };
}

function withEngine(listener: ListenerPlan, engine: EngineName): ListenerPlan {
  return listener.engine === 'auto' ? { ...listener, engine } : listener;
}

/** The engines that serve: `uws`, `node`, or both. */
export function engineNames(listeners: readonly ListenerPlan[]): string {
  return [...new Set(listeners.map(({ engine }) => engine))].sort().join(',');
}

/** Main thread. `takeover`: the address may be another process's. Rejects with one line that names the address if it can't be bound. */
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
