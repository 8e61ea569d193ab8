/** What a running process can change of its listeners: everything except their sockets and engines. */
import type { ListenerPlan } from '../../core/plan.js';

/**
 * `followListeners` returns `next` with the sockets and engines of `running`. It returns null if `next` has
 * others, which need a restart.
 */
export function followListeners(
  running: readonly ListenerPlan[],
  next: readonly ListenerPlan[],
): readonly ListenerPlan[] | null {
  if (running.length !== next.length) return null;
  const followed: ListenerPlan[] = [];
  for (const [index, listener] of next.entries()) {
    const before = running[index]!;
    // The running plan has the engine that `auto` selected.
    const engine = listener.engine === 'auto' ? before.engine : listener.engine;
    if (fixedPart({ ...listener, engine }) !== fixedPart(before)) return null;
    const protocols = engine === 'uws' ? before.protocols : listener.protocols;
    followed.push({ ...listener, engine, protocols });
  }
  return followed;
}

function fixedPart({ address, engine, socketMode, tls, limits }: ListenerPlan): string {
  // uWS reads the size of heads when it is loaded.
  const headBytesMax = engine === 'node' ? null : limits.headBytesMax;
  return JSON.stringify([address, engine, socketMode, tls !== null, headBytesMax]);
}
