/**
 * The endpoints of a service: method and path pattern. Segments that are numbers, UUIDs, hashes or
 * other generated identifiers are `*` at once; a place with too many different words becomes `*` when
 * that is seen. Patterns of the configuration come first. Bounded; one object per mirror; control thread.
 */
import { GRPC_METHOD } from '../grpc/grpc-method.js';
import { limits } from '../limits.js';
import { endOfPath, pathPattern } from './path-pattern.js';

/** Where there is no room for another endpoint. */
export const otherEndpoints = '/**';
/** Where there is no room for another method. */
const otherMethod = 'OTHER';

/** Whether a pattern matches a path or a narrower pattern; a star is a segment, two at the end the rest. */
export function matchesPattern(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.at(-1) === '**') {
    if (given.length < wanted.length - 1) return false;
    return wanted.slice(0, -1).every((segment, i) => segment === '*' || segment === given[i]);
  }
  return (
    wanted.length === given.length && wanted.every((segment, i) => segment === '*' || segment === given[i])
  );
}

export class Endpoints {
  readonly #configured: readonly string[];
  readonly #methods = new Set<string>();
  readonly #known = new Set<string>();
  readonly #grpcPaths = new Set<string>();
  /** Different words below one pattern, as far as they are counted. */
  readonly #words = new Map<string, Set<string>>();
  readonly #folded = new Set<string>();
  /** Called before `nameOf` returns, when known names become one. */
  readonly #onFold: (pattern: string) => void;
  overflowed = false;

  constructor(configured: readonly string[], onFold: (pattern: string) => void) {
    this.#configured = configured;
    this.#onFold = onFold;
  }

  /** The endpoint of `GET /users/17?x=1`: `GET /users/*`. */
  nameOf(request: string): string {
    const space = request.indexOf(' ');
    const [method, target] = [this.#methodOf(request.slice(0, space)), request.slice(space + 1)];
    const path = target.slice(0, endOfPath(target));
    const configured = this.#configured.find((pattern) => matchesPattern(pattern, path));
    if (configured !== undefined) return `${method} ${configured}`;
    return `${method} ${method === GRPC_METHOD ? this.#method(path) : this.#learned(path)}`;
  }

  /** Clients choose methods, too. */
  #methodOf(method: string): string {
    if (this.#methods.has(method)) return method;
    if (this.#methods.size >= limits.endpointMethods) return otherMethod;
    this.#methods.add(method);
    return method;
  }

  /** Methods of gRPC never become one: each has messages of its own type. */
  #method(path: string): string {
    if (this.#grpcPaths.has(path)) return path;
    if (this.#known.size + this.#grpcPaths.size >= limits.endpoints) {
      this.overflowed = true;
      return otherEndpoints;
    }
    this.#grpcPaths.add(path);
    return path;
  }

  #learned(path: string): string {
    const pattern = this.#fold(pathPattern(path));
    if (this.#known.has(pattern)) return pattern;
    if (this.#known.size + this.#grpcPaths.size >= limits.endpoints) {
      this.overflowed = true;
      return otherEndpoints;
    }
    this.#known.add(pattern);
    return this.#learn(pattern);
  }

  #fold(pattern: string): string {
    if (this.#folded.size === 0) return pattern;
    const segments = pattern.split('/');
    for (let i = 1; i < segments.length; i++) {
      if (this.#folded.has(placeOf(segments, i))) segments[i] = '*';
    }
    return segments.join('/');
  }

  /** Counts the words of a new pattern, from the left, and folds a place that has too many. */
  #learn(pattern: string): string {
    const segments = pattern.split('/');
    for (let i = 1; i < segments.length; i++) {
      if (segments[i] === '*') continue;
      const place = placeOf(segments, i);
      const words = this.#words.get(place) ?? new Set();
      this.#words.set(place, words.add(segments[i]));
      if (words.size <= limits.endpointWords) continue;
      this.#words.delete(place);
      this.#folded.add(place);
      const all = [...this.#known];
      this.#known.clear();
      for (const known of all) this.#known.add(this.#fold(known));
      segments[i] = '*';
      this.#onFold(segments.slice(0, i + 1).join('/'));
      return this.#fold(segments.join('/'));
    }
    return pattern;
  }
}

/** The path before the segment: words are counted among those that follow the same words. */
function placeOf(segments: readonly string[], i: number): string {
  return segments.slice(0, i).join('/');
}
