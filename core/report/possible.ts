/**
 * Which series can be something else than 0, by what is configured. The others are left out of `/metrics`:
 * with dozens of mirrors they are most of the page. A series that is not 0 is always shown.
 */
import type { MirrorPlan, VersionPlan } from '../plan.js';
import type { Role } from './observed.js';

/** What the plan has that some series depend on. */
export type Feature =
  | 'rate'
  | 'breaker'
  | 'guard'
  | 'order'
  | 'methods'
  | 'structure'
  | 'body'
  | 'header'
  | 'recording'
  | 'stream'
  | 'tls'
  | 'primary'
  | 'shadow';

export function mirrorFeatures(mirror: MirrorPlan, hasGuard: boolean, isSecure: boolean): Feature[] {
  const { ratePerSecond, breaker, order, methods, capture, compare, sink } = mirror;
  const features: readonly (readonly [Feature, boolean])[] = [
    ['rate', ratePerSecond !== null],
    ['breaker', breaker !== null && sink === null],
    ['guard', hasGuard],
    ['order', order !== null],
    ['methods', methods !== null],
    ['structure', capture !== null],
    ['body', compare.digest],
    ['header', compare.headers.length > 0],
    ['recording', sink?.kind === 'file'],
    ['stream', sink?.kind === 'stream'],
    ['shadow', sink === null],
    ['tls', isSecure],
  ];
  return features.filter(([, has]) => has).map(([feature]) => feature);
}

export function versionFeatures(version: VersionPlan | undefined, role: Role): Feature[] {
  const isSecure = version === undefined || version.endpoints.some(({ secure }) => secure);
  return isSecure ? [role, 'tls'] : [role];
}

/** What a reason needs: all of a list. Reasons without a row are always possible. */
type Needs = Readonly<Record<string, readonly Feature[]>>;

const failureNeeds: Needs = {
  tls: ['tls'],
  write: ['recording'],
  'stream-full': ['stream'],
  'stream-down': ['stream'],
  'stream-refused': ['stream'],
  'ring-full': ['shadow'],
  draining: ['shadow'],
  memory: ['shadow'],
  'response-too-large': ['shadow'],
  'answered-early': ['shadow'],
  'primary-failed': ['shadow'],
  'thread-ended': ['shadow'],
};

const dropNeeds: Needs = {
  rate: ['rate'],
  'breaker-open': ['breaker'],
  guard: ['guard'],
  method: ['methods'],
  'order-full': ['order'],
  'no-endpoint': ['shadow'],
  'disk-full': ['recording'],
  unwritable: ['recording'],
  'stream-full': ['stream'],
  'stream-down': ['stream'],
  'message-too-large': ['stream'],
  // Only `umbra shadow` drops for these, and it has figures of its own.
  requeued: ['stream', 'shadow'],
  'delivery-limit': ['stream', 'shadow'],
  unreadable: ['stream', 'shadow'],
};

/** By metric. */
const reasonNeeds: Readonly<Record<string, Needs>> = {
  umbra_upstream_failures_total: failureNeeds,
  umbra_mirror_failed_total: failureNeeds,
  umbra_mirror_dropped_total: dropNeeds,
};

const metricNeeds: Needs = {
  umbra_mirror_waiting: ['order'],
  umbra_mirror_breakers_open: ['breaker'],
  umbra_mirror_breaker_opened_total: ['breaker'],
  umbra_mirror_held_back_ratio: ['guard'],
  umbra_compare_sampled_total: ['structure'],
  umbra_compare_examined_total: ['structure'],
  umbra_compare_unexamined_total: ['structure'],
  umbra_upstream_tls_handshakes_total: ['tls'],
};

const differenceNeeds: Needs = { body: ['body'], header: ['header'] };

/** `isPossible` returns false where a series can only be 0. Without `features` everything is possible. */
export function isPossible(
  features: readonly Feature[] | undefined,
  metric: string,
  reason = '',
  what = '',
): boolean {
  if (features === undefined) return true;
  const needed = [
    ...(metricNeeds[metric] ?? []),
    ...(reasonNeeds[metric]?.[reason] ?? []),
    ...(metric === 'umbra_mirror_differences_total' ? (differenceNeeds[what] ?? []) : []),
  ];
  return needed.every((feature) => features.includes(feature));
}
