/**
 * What is wrong now, in words, and how bad it is. The page shows it first and sorts by it, so each judgement
 * is made here once. Pure.
 */
import { count, percent, share } from './format.js';

/** What a person does about it, the worst last: `isWorse` compares by place. */
export const levels = ['ok', 'off', 'note', 'failing', 'dead', 'clients'];

/** Below this share a loss is in the figures alone. */
const lossNoted = 0.01;
/** A share of fewer answers than this says little. */
const answersFew = 5;
const errorsFailing = 0.05;
const errorsDead = 0.5;
const busyHigh = 0.95;
/** Kinds of threads that requests and copies wait for. Others run when there is time. */
const dataThreads = new Set(['proxy', 'shadow', 'sink']);
const ringHigh = 0.8;

export function levelOf(name) {
  return levels.indexOf(name);
}

/** Why copies are dropped or fail, as a person would say it; other reasons are shown by name. */
const reasonWords = {
  'no-endpoint': 'no endpoint can be used',
  'breaker-open': 'its breaker is open',
  connect: 'connections are refused',
  tls: 'TLS fails',
  timeout: 'it does not answer in time',
  reset: 'it resets connections',
  protocol: 'its responses are not valid HTTP',
  overloaded: 'it has too many requests waiting',
  'ring-full': 'the ring to the shadow thread is full',
  'in-flight': '`inFlight` is reached',
  rate: '`rate` is reached',
  'body-too-large': 'bodies are larger than `body.max`',
  memory: '`memory` is reached',
  guard: 'the guard holds copies back',
  'disk-full': 'the disk is full',
  unwritable: 'the directory can’t be written',
  'stream-full': 'the stream is full',
  'stream-down': 'NATS can’t be reached',
  'stream-refused': 'NATS refused the message',
  aborted: 'clients left',
  'slow-client': 'clients sent too slowly',
  'order-full': 'too many copies wait for their turn',
};

function reasonText(reason) {
  return reasonWords[reason] ?? reason;
}

/** The cause is another one: these drops follow from failures that are counted elsewhere. */
const consequences = new Set(['no-endpoint', 'breaker-open', 'guard']);
/** Drops that the configuration asks for are not trouble. */
const intended = new Set(['rate', 'method', 'upgrade', 'loop', 'guard', 'draining']);

/**
 * The state of one mirror of a view: `{ level, word, text }`. `word` fits a cell, and `text` says the cause.
 * A mirror without traffic is judged by its endpoints alone.
 */
export function stateOf(mirror) {
  const { enabled, recent, shadow, kept, breaker, heldBackPercent, verdict, endpoints } = mirror;
  if (!enabled) return state('off', 'off', 'switched off');
  const lost = lostOf(recent);
  const eligible = recent?.eligible ?? 0;
  const isCutOff = losesAll(recent) || losesAll(mirror.latest);
  if (isCutOff) return state('dead', 'dead', `no copy gets through: ${causeOf(mirror)}`);
  if ((shadow?.errorShare ?? 0) >= errorsDead && shadow.answers >= answersFew)
    return state(
      'dead',
      'dead',
      `${percent(shadow.errorShare)} of its answers are errors: ${causeOf(mirror)}`,
    );
  const ill = endpoints.filter(({ health }) => health?.state === 'unhealthy').length;
  if (ill > 0 && ill === endpoints.length)
    return state(
      'dead',
      'dead',
      `${count(ill)} of ${count(endpoints.length)} endpoints fail their health check`,
    );
  if (kept?.trouble) return state('dead', 'stopped', `nothing is kept: ${reasonText(kept.trouble)}`);
  if (breaker?.open > 0)
    return state('failing', 'breaker open', `its breaker is open on ${plural(breaker.open, 'thread')}`);
  if ((shadow?.errorShare ?? 0) >= errorsFailing && shadow.answers >= answersFew)
    return state('failing', 'errors', `${percent(shadow.errorShare)} of its answers are errors`);
  if (ill > 0)
    return state(
      'failing',
      'unhealthy',
      `${count(ill)} of ${plural(endpoints.length, 'endpoint')} fail their health check`,
    );
  if (mirror.ejected > 0) return state('failing', 'ejected', ejectedText(mirror.ejected));
  if (verdict?.outcome === 'fail')
    return state('failing', 'verdict', `verdict: fail (${failedChecks(verdict)})`);
  if (heldBackPercent > 0)
    return state(
      'failing',
      'held back',
      `the guard holds back ${share(heldBackPercent)}: the primary got worse`,
    );
  if (eligible > 0 && lost / eligible >= lossNoted)
    return state(
      'failing',
      'loses copies',
      `${percent(lost / eligible)} of copies are lost: ${causeOf(mirror)}`,
    );
  if (lost > 0)
    return state(
      'note',
      'loses few',
      `${percent(lost / Math.max(lost, eligible))} of copies are lost: ${causeOf(mirror)}`,
    );
  if ((shadow?.errorShare ?? 0) > 0)
    return state('note', 'few errors', `${percent(shadow.errorShare)} of its answers are errors`);
  return state(
    'ok',
    eligible > 0 ? 'well' : 'idle',
    eligible > 0 ? 'copies arrive' : 'no request was copied in the last seconds',
  );
}

/** Copies per second that were lost against what the configuration asks for. */
function lostOf(figures) {
  if (figures === null) return 0;
  return sumOf(figures.dropped.filter(({ reason }) => !intended.has(reason))) + sumOf(figures.failed);
}

function losesAll(figures) {
  return figures !== null && figures.eligible > 0 && figures.completed === 0 && lostOf(figures) > 0;
}

function state(level, word, text) {
  return { level, word, text };
}

/** The most frequent cause that is not a consequence of another one. */
function causeOf({ recent, failed, shadow }) {
  const now = [...(recent?.failed ?? []), ...(recent?.dropped ?? [])];
  const first = now.find(({ reason }) => !consequences.has(reason)) ?? now[0];
  if (first === undefined) return shadow === null ? 'unknown' : 'status 5xx';
  if (!consequences.has(first.reason)) return reasonText(first.reason);
  // An ejected endpoint gets no requests, so the cause is in the failures since the start.
  const [worst] = Object.entries(failed).sort((a, b) => b[1] - a[1]);
  return worst !== undefined && worst[1] > 0
    ? `${reasonText(first.reason)}, ${reasonText(worst[0])}`
    : reasonText(first.reason);
}

function failedChecks({ checks }) {
  return checks
    .filter(({ outcome }) => outcome === 'fail')
    .map(({ name }) => name)
    .join(', ');
}

/** Each thread judges endpoints for itself. */
function ejectedText(ejected) {
  return `endpoints are ejected (${plural(ejected, 'ejection')} over all threads)`;
}

/**
 * Everything that needs attention in a view of all routes, the worst first:
 * `[{ level, route, name, text }]`. `route` is null where no route is to blame.
 */
export function troublesOf({ routes, mirrors, snapshot }) {
  const found = [];
  const seen = new Set();
  for (const route of routes) {
    for (const version of route.primaries) {
      if (seen.has(version.name)) continue;
      const text = primaryTrouble(version);
      if (text === null) continue;
      seen.add(version.name);
      found.push({ level: 'clients', route: route.name, name: version.name, role: 'primary', text });
    }
  }
  for (const { route, to, sink, state: mirrorState } of mirrors)
    if (levelOf(mirrorState.level) >= levelOf('failing'))
      found.push({ ...mirrorState, route, name: to, role: sink ? 'sink' : 'shadow' });
  const { live, stats } = snapshot;
  for (const thread of live.threads)
    if (thread.busy > busyHigh)
      found.push({
        level: dataThreads.has(thread.kind) ? 'failing' : 'note',
        route: null,
        name: thread.name,
        role: null,
        text: `is ${percent(thread.busy)} busy`,
      });
  for (const ring of live.rings)
    if (ring.usedBytes > ring.capacityBytes * ringHigh)
      found.push({
        level: 'failing',
        route: null,
        name: `ring ${ring.name}`,
        role: null,
        text: `is ${percent(ring.usedBytes / ring.capacityBytes)} full`,
      });
  if (stats.threads.restarts > 0)
    found.push({
      level: 'note',
      route: null,
      name: 'threads',
      role: null,
      text: `${plural(stats.threads.restarts, 'restart')} since the start`,
    });
  return found.sort((a, b) => levelOf(b.level) - levelOf(a.level));
}

function primaryTrouble({ recent, ejected }) {
  const share = recent?.errorShare ?? 0;
  if (share >= lossNoted) return `clients get errors: ${percent(share)} of its answers`;
  return ejected > 0 ? ejectedText(ejected) : null;
}

function sumOf(rates) {
  return rates.reduce((sum, { rate }) => sum + rate, 0);
}

function plural(n, word) {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}
