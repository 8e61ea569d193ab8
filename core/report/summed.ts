/**
 * `summed` adds up elements with the same key, and returns one for each key in the order of first occurrence.
 */
export function summed<T>(all: readonly T[], key: (one: T) => string, add: (a: T, b: T) => T): T[] {
  const byKey = new Map<string, T>();
  for (const one of all) {
    const before = byKey.get(key(one));
    byKey.set(key(one), before === undefined ? one : add(before, one));
  }
  return [...byKey.values()];
}
