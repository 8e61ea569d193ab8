/**
 * JSONPath (RFC 9535), as far as it names places without looking at values: `$.a`, `$['a b']`,
 * `$.items[3]`, `$.items[*]`, `$..requestId`, `$..[0]`. Filters, slices, unions and negative indexes are
 * refused with a reason.
 *
 * Paths are followed while a document is walked: a `PathMatcher` is asked at each step for the positions
 * that its paths have reached, so that no path of the document is ever built to be compared.
 */

interface Segment {
  /** A member's name, an index, or null for any child. */
  readonly key: string | number | null;
  /** The segment is of any descendant, not of the node itself (`..`). */
  readonly deep: boolean;
}

export type JsonPath = readonly Segment[];

/** Why a text is no path that is understood, as the end of a message. */
export class PathRefusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The segments of one path. */
const segmentsMax = 63;
/**
 * A position is the path's number and the segment that is to be matched next; behind the last one the
 * path is matched.
 */
const positionsPerPath = segmentsMax + 1;
const shorthand = /[\p{L}\p{N}_]+/uy;
const bracket =
  /\[\s*(?:\*|(?<index>0|[1-9]\d{0,8})|'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)")\s*\]/suy;
const understood = "names, ['names'], [3], [*], .* and .. are; a name with other characters stands in ['…']";

export function parseJsonPath(text: string): JsonPath | PathRefusal {
  if (!text.startsWith('$')) return new PathRefusal('expected a JSONPath such as $.requestId');
  const segments: Segment[] = [];
  let at = 1;
  while (at < text.length) {
    const deep = text.startsWith('..', at);
    if (deep) at += 2;
    const named = deep ? text[at] !== '[' : text[at] === '.';
    if (named && !deep) at++;
    const step = named ? readName(text, at) : readBracket(text, at);
    if (step === null)
      return new PathRefusal(`can't be understood from character ${at + 1} on: ${understood}`);
    segments.push({ key: step.key, deep });
    at = step.end;
  }
  if (segments.length === 0) return new PathRefusal('names the whole document, not a place in it');
  if (segments.length > segmentsMax) return new PathRefusal(`has more than ${segmentsMax} steps`);
  return segments;
}

/** `jsonPaths` parses texts that were checked when the configuration was loaded. It skips what is no path. */
export function jsonPaths(texts: readonly string[]): JsonPath[] {
  return texts.map(parseJsonPath).filter((path): path is JsonPath => !(path instanceof PathRefusal));
}

/** The positions that a matcher's paths have reached at one node; opaque to the walker. */
export type PathState = readonly number[];

/** Follows a set of paths down a document. Immutable; any thread. */
export class PathMatcher {
  readonly #paths: readonly JsonPath[];
  /** The state at the document's root. */
  readonly root: PathState;

  constructor(paths: readonly JsonPath[]) {
    this.#paths = paths;
    this.root = paths.map((_, path) => path * positionsPerPath);
  }

  /** The state at a child. */
  step(state: PathState, key: string | number): PathState {
    if (state.length === 0) return state;
    const next: number[] = [];
    for (const position of state) {
      const segment = this.#segmentAt(position);
      if (segment === undefined) continue;
      if (segment.deep) add(next, position);
      if (segment.key === null || segment.key === key) add(next, position + 1);
    }
    return next;
  }

  /** One of the paths ends at this node: it and all below it are meant. */
  hits(state: PathState): boolean {
    for (const position of state) if (this.#segmentAt(position) === undefined) return true;
    return false;
  }

  /** The indexes of the paths that end at this node. */
  ended(state: PathState): number[] {
    return state
      .filter((position) => this.#segmentAt(position) === undefined)
      .map((position) => Math.floor(position / positionsPerPath));
  }

  #segmentAt(position: number): Segment | undefined {
    return this.#paths[Math.floor(position / positionsPerPath)][position % positionsPerPath];
  }
}

/**
 * The step from a node to its member or item, as RFC 9535 section 2.7 writes it where the name is not
 * plain.
 */
export function pathStep(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  if (plainName.test(key)) return `.${key}`;
  return `['${key.replace(/[\\']|\p{Cc}/gu, escaped)}']`;
}

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

function escaped(char: string): string {
  if (char === '\\' || char === "'") return `\\${char}`;
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

interface Step {
  readonly key: string | number | null;
  readonly end: number;
}

function readName(text: string, at: number): Step | null {
  if (text[at] === '*') return { key: null, end: at + 1 };
  shorthand.lastIndex = at;
  const found = shorthand.exec(text);
  return found === null ? null : { key: found[0], end: shorthand.lastIndex };
}

function readBracket(text: string, at: number): Step | null {
  bracket.lastIndex = at;
  const found = bracket.exec(text);
  if (found === null) return null;
  const { single, double, index } = found.groups!;
  const end = bracket.lastIndex;
  if (index !== undefined) return { key: Number(index), end };
  const quoted = single ?? double;
  if (quoted === undefined) return { key: null, end };
  const key = unescaped(quoted);
  return key === null ? null : { key, end };
}

function unescaped(text: string): string | null {
  try {
    return JSON.parse(
      `"${text.replace(/\\'/g, "'").replace(/(\\.)|"/gs, (all, pair) => pair ?? `\\${all}`)}"`,
    );
  } catch {
    return null;
  }
}

function add(positions: number[], position: number): void {
  if (!positions.includes(position)) positions.push(position);
}
