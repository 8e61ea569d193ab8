import type { Clock } from '../clock.js';
import type { Endpoint } from './endpoint.js';

/** Selection rank; lower wins. */
const Rank = {
  READY: 0,
  /** It came back a short while ago and has not earned the next choice yet. */
  SLOW: 1,
  /** Ejected or unhealthy. */
  OUT: 2,
} as const;

/**
 * The place in `endpoints` of the one that gets the next call: of those that have an idle connection or room
 * for one, and are not in `tried`, the one with the fewest calls pending; equals take turns from `turn` on.
 * Where `isWeighted`, each gets calls by its weight, and fewer the more are pending. -1: none has room.
 *
 * One that is out is chosen only if all that are left are out. If one is usable and merely busy, the call
 * waits for it.
 */
export function chooseEndpoint(
  endpoints: readonly Endpoint[],
  connectionsMax: number,
  tried: readonly Endpoint[],
  turn: number,
  clock: Clock,
  isWeighted = false,
): number {
  const count = endpoints.length;
  let best: Endpoint | null = null;
  let bestAt = -1;
  let bestRank: number = Rank.OUT;
  let anyUsable = false;
  let anySlow = false;
  for (let i = 0; i < count; i++) {
    const at = (turn + i) % count;
    const endpoint = endpoints[at]!;
    if (tried.length > 0 && tried.includes(endpoint)) continue;
    const rank = rankOf(endpoint);
    if (rank !== Rank.OUT) {
      anyUsable = true;
      anySlow ||= endpoint.slowStart.active;
    }
    if (isFull(endpoint, connectionsMax)) continue;
    if (best !== null && !isBetter(endpoint, rank, best, bestRank)) continue;
    best = endpoint;
    bestAt = at;
    bestRank = rank;
  }
  if (best === null || (anyUsable && bestRank === Rank.OUT)) return -1;
  if (isWeighted) {
    bestAt = byWeight(endpoints, connectionsMax, tried, bestRank);
    best = endpoints[bestAt]!;
  }
  if (anySlow) earn(endpoints, best, clock());
  return bestAt;
}

function rankOf(endpoint: Endpoint): number {
  if (!endpoint.usable) return Rank.OUT;
  return endpoint.slowStart.due ? Rank.READY : Rank.SLOW;
}

function isFull(endpoint: Endpoint, connectionsMax: number): boolean {
  return endpoint.idle.length === 0 && endpoint.open >= connectionsMax;
}

/**
 * Smooth weighted turns, as in nginx: each earns its weight with every choice, the one that is owed most is
 * chosen and pays what all have earned. As in Envoy, pending calls make a weight smaller.
 */
function byWeight(
  endpoints: readonly Endpoint[],
  connectionsMax: number,
  tried: readonly Endpoint[],
  rank: number,
): number {
  let bestAt = -1;
  let earned = 0;
  for (let i = 0; i < endpoints.length; i++) {
    const endpoint = endpoints[i]!;
    if (rankOf(endpoint) !== rank || isFull(endpoint, connectionsMax) || tried.includes(endpoint)) continue;
    const earns = endpoint.plan.weight / (endpoint.pending + 1);
    endpoint.owed += earns;
    earned += earns;
    if (bestAt < 0 || endpoint.owed > endpoints[bestAt]!.owed) bestAt = i;
  }
  endpoints[bestAt]!.owed -= earned;
  return bestAt;
}

/** Equals: one that has earned this choice goes first, or it would be late every time. */
function isBetter(one: Endpoint, rank: number, best: Endpoint, bestRank: number): boolean {
  if (rank !== bestRank) return rank < bestRank;
  if (one.pending !== best.pending) return one.pending < best.pending;
  return one.slowStart.active && !best.slowStart.active;
}

function earn(endpoints: readonly Endpoint[], chosen: Endpoint, nowUs: number): void {
  let usable = 0;
  for (const endpoint of endpoints) if (endpoint.usable) usable++;
  for (const endpoint of endpoints) endpoint.slowStart.earn(nowUs, usable, endpoint === chosen);
}
