/**
 * Finds names in the places of differences that are data and no fields: `$.users.u17.ts`,
 * `$.users.u18.ts` and so on are one place, `$.users[*].ts`. Names are data where many different ones of
 * like shape stand at one place and each is seldom met; the names of fields are met in most answers.
 * Bounded; control thread.
 */
import { limits } from '../limits.js';

const steps = /\.[A-Za-z_]\w*|\[\*\]|\['(?:[^'\\]|\\.)*'\]|./gsu;
const anyKey = '[*]';

/** A name with its digits and letters taken for each other: `u17` and `u2` are alike. */
function shapeOf(step: string): string {
  return step.replace(/\d+/g, '0').replace(/[0-9a-f]{4,}(?=-|'|$)/gi, 'x');
}

/** The paths that `path` belongs to when the name at one of its steps is left open. */
function families(path: string): { readonly key: string; readonly at: number; readonly parts: string[] }[] {
  const parts = path.match(steps) ?? [];
  const shapes = parts.map(shapeOf);
  return parts.flatMap((part, at) => {
    if (part === anyKey || !/^(?:\.[A-Za-z_]|\[')/.test(part)) return [];
    return [{ key: [...shapes.slice(0, at), '*', ...shapes.slice(at + 1)].join('\n'), at, parts }];
  });
}

export class KeyFold {
  readonly #names = new Map<string, Set<string>>();
  readonly #folded = new Set<string>();

  /** The path with the names that are known to be data as `[*]`. */
  fold(path: string): string {
    if (this.#folded.size === 0) return path;
    let folded = path;
    // Each round folds one step; the families of the others are then those of the folded path.
    for (let round = 0; round < limits.foldedSteps; round++) {
      const family = families(folded).find(({ key }) => this.#folded.has(key));
      if (family === undefined) return folded;
      family.parts[family.at] = anyKey;
      folded = family.parts.join('');
    }
    return folded;
  }

  /**
   * Takes note of a new path. Returns the families in which it is one of many, each as a test of other
   * paths.
   */
  learn(path: string): { readonly has: (path: string) => boolean; readonly fold: () => void }[] {
    return families(path).flatMap(({ key, at, parts }) => {
      let names = this.#names.get(key);
      if (names === undefined) {
        if (this.#names.size >= limits.diffGroups * 8) return [];
        names = new Set();
        this.#names.set(key, names);
      }
      if (names.size < limits.foldedNames) names.add(parts[at]);
      if (names.size < limits.foldedNames) return [];
      const has = (other: string) => families(other).some((family) => family.key === key);
      const fold = () => {
        this.#names.delete(key);
        this.#folded.add(key);
      };
      return [{ has, fold }];
    });
  }
}
