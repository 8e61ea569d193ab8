/** Durations as Kubernetes documents write them. */

const pattern = /^(\d+(\.\d+)?(h|ms|m|s))+$/;
const millisecondsPer: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
/** Node's timers hold 31 bits of milliseconds. */
const msMax = 2 ** 31 - 1;

/**
 * `parseDocumentDuration` returns milliseconds, rounded up so that only 0 becomes 0, or null for an invalid
 * duration.
 */
export function parseDocumentDuration(text: string): number | null {
  if (text === '0') return 0;
  if (!pattern.test(text)) return null;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
    ms += Number(amount) * millisecondsPer[unit];
  return Math.min(msMax, Math.ceil(ms));
}
