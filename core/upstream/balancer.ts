import type { Clock } from '../clock.js';
import type { Endpoint } from './endpoint.js';

/** Selection rank; lower wins. */
const Rank = {
  READY: 0,
  /** The endpoint returned a short while ago and has not earned the next call yet. */
  SLOW: 1,
  /** Ejected or unhealthy. */
  OUT: 2,
} as const;

/**
 * `chooseEndpoint` returns the index in `endpoints` of the endpoint for the next call, or -1 when none has
 * room. It considers endpoints that are not in `tried` and have an idle connection or room for one, or with
 * `shares` a connection of others with room, and takes the one with the fewest pending calls. Equal ones
 * alternate from `turn` on. With `isWeighted`, each endpoint gets calls by its weight, and fewer the more are
 * pending.
 *
 * An endpoint that is out is chosen only if all remaining ones are out. If one is usable but busy, the call
 * waits for it.
 */
export function chooseEndpoint(
  endpoints: readonly Endpoint[],
  connectionsMax: number,
  tried: readonly Endpoint[],
  turn: number,
  clock: Clock,
  isWeighted = false,
  shares = false,
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
    if (isFull(endpoint, connectionsMax, shares)) continue;
    if (best !== null && !isBetter(endpoint, rank, best, bestRank)) continue;
    best = endpoint;
    bestAt = at;
    bestRank = rank;
  }
  if (best === null || (anyUsable && bestRank === Rank.OUT)) return -1;
  if (isWeighted) {
    bestAt = byWeight(endpoints, connectionsMax, tried, bestRank, shares);
    best = endpoints[bestAt]!;
  }
  if (anySlow) earn(endpoints, best, clock());
  return bestAt;
}

function rankOf(endpoint: Endpoint): number {
  if (!endpoint.usable) return Rank.OUT;
  return endpoint.slowStart.due ? Rank.READY : Rank.SLOW;
}

function isFull(endpoint: Endpoint, connectionsMax: number, shares: boolean): boolean {
  if (endpoint.idle.length > 0 || endpoint.open < connectionsMax) return false;
  return !shares || !endpoint.hasRoom;
}

/**
 * `byWeight` is smooth weighted round robin, as in nginx. With every choice each endpoint earns its weight;
 * the one with the highest balance is chosen and pays the sum. As in Envoy, pending calls reduce a weight.
 */
function byWeight(
  endpoints: readonly Endpoint[],
  connectionsMax: number,
  tried: readonly Endpoint[],
  rank: number,
  shares: boolean,
): number {
  let bestAt = -1;
  let earned = 0;
  for (let i = 0; i < endpoints.length; i++) {
    const endpoint = endpoints[i]!;
    if (rankOf(endpoint) !== rank || isFull(endpoint, connectionsMax, shares) || tried.includes(endpoint))
      continue;
    const earns = endpoint.plan.weight / (endpoint.pending + 1);
    endpoint.owed += earns;
    earned += earns;
    if (bestAt < 0 || endpoint.owed > endpoints[bestAt]!.owed) bestAt = i;
  }
  endpoints[bestAt]!.owed -= earned;
  return bestAt;
}

/**
 * `isBetter` prefers, among equal endpoints, a returning one that has earned this choice. It would otherwise
 * always be late.
 */
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
