/** Differences that the configuration accepts: they are found, and not counted. Control thread. */
import type { MeantDifference } from '../plan.js';
import type { Difference } from './difference.js';
import { matchesPattern } from './endpoints.js';

export class MeantDifferences {
  readonly #byPlace = new Map<string, MeantDifference[]>();

  constructor(all: readonly MeantDifference[]) {
    for (const one of all) {
      const key = `${one.kind}\n${one.path}`;
      const known = this.#byPlace.get(key);
      if (known === undefined) this.#byPlace.set(key, [one]);
      else known.push(one);
    }
  }

  /** The differences that are not accepted. `fold` gives the place of a document as groups have it. */
  without(
    endpoint: string,
    differences: readonly Difference[],
    fold: (path: string) => string,
  ): readonly Difference[] {
    if (this.#byPlace.size === 0 || differences.length === 0) return differences;
    return differences.filter((difference) => !this.#has(endpoint, difference, fold));
  }

  #has(endpoint: string, { kind, path, change }: Difference, fold: (path: string) => string): boolean {
    const places = kind === 'json' ? [path, fold(path)] : [path];
    return places.some((place) =>
      this.#byPlace.get(`${kind}\n${place}`)?.some((meant) => {
        return (meant.change === null || meant.change === change) && isOf(meant.endpoint, endpoint);
      }),
    );
  }
}

function isOf(wanted: string | null, endpoint: string): boolean {
  if (wanted === null || wanted === endpoint) return true;
  const [method, pattern] = wanted.split(' ', 2);
  const [ownMethod, path] = endpoint.split(' ', 2);
  return method === ownMethod && matchesPattern(pattern, path);
}
