/**
 * Lookups of the names of NATS servers. A resolver that hangs has one lookup of a name, however often a
 * connection is tried meanwhile: each takes a thread of libuv's pool until it ends.
 */
import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { limits } from '../../core/limits.js';

type Callback = Parameters<LookupFunction>[2];

/** Who waits for each lookup, by name and options. Of this thread. */
const waiting = new Map<string, Callback[]>();

/** `lookUpOnce` is `dns.lookup` for the connections of this module. */
export const lookUpOnce: LookupFunction = (name, options, callback) => {
  const key = JSON.stringify([name, options.family, options.all, options.hints]);
  const others = waiting.get(key);
  if (others !== undefined) {
    if (others.length < limits.natsLookupWaiters) others.push(callback);
    else process.nextTick(callback, stillLookedUp(name), '', 0);
    return;
  }
  const callbacks = [callback];
  waiting.set(key, callbacks);
  dns.lookup(name, options, (error, address, family) => {
    waiting.delete(key);
    for (const each of callbacks) each(error, address as never, family);
  });
};

function stillLookedUp(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${name} is still looked up`), { code: 'EAI_AGAIN' });
}
