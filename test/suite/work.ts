/** What a run of the suite is made of: files, and over which engine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engines } from '../support/engines.js';
import { engine } from '../support/umbra.js';

/** One process of the suite. */
export interface Piece {
  /** Path of the compiled test. */
  readonly file: string;
  /** The name for people: `end-to-end/websocket, uws engine`. */
  readonly name: string;
  /** `uws` for the second run of a file; null for the engine that `auto` chooses. */
  readonly engine: 'uws' | null;
  /** The file adds addresses to its network, which browsers of other files would take for a new network. */
  readonly isApart: boolean;
}

const tests = fileURLToPath(new URL('../', import.meta.url));
const sources = fileURLToPath(new URL('../../../test/', import.meta.url));
const ending = '.test.js';
const endToEnd = 'end-to-end/';

/** Every test there is. The compiled file of a test that was removed is left out. */
export function allTests(): string[] {
  const found = readdirSync(tests, { recursive: true, encoding: 'utf8' });
  const names = found.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
  return names.filter((name) => existsSync(sourceOf(name))).map((name) => join(tests, `${name}${ending}`));
}

const ownNetwork = '\n// Runs in a network of its own';

/** The comments that a test begins with. */
function headOf(name: string): string {
  return /^(?:\/\/.*\n)*/.exec(readFileSync(sourceOf(name), 'utf8'))![0];
}

function sourceOf(name: string): string {
  return join(sources, `${name}.test.ts`);
}

/**
 * `piecesOf` returns the processes that run `files`, longest first, so that the last one does not keep all
 * the others waiting. A file of the end-to-end suite runs a second time over the uws engine if it says so,
 * unless the engine does not load or the caller chose one (`UMBRA_ENGINE`).
 */
export function piecesOf(files: readonly string[]): Piece[] {
  const isChosen = engine !== 'auto' || !engines.includes('uws');
  const pieces = files.flatMap((file): Piece[] => {
    const name = relative(tests, file).replaceAll(sep, '/').slice(0, -ending.length);
    const once: Piece = { file, name, engine: null, isApart: headOf(name).includes(ownNetwork) };
    if (isChosen || !name.startsWith(endToEnd) || enginesOf(name) !== 'both') return [once];
    return [once, { ...once, name: `${name}, uws engine`, engine: 'uws' }];
  });
  const rank = ({ name }: Piece): number => longFirst.findIndex((start) => name.startsWith(start));
  return pieces.sort((a, b) => rank(a) - rank(b));
}

/**
 * `enginesOf` returns what the first line of an end-to-end test says of engines: `both`, or `one` with the
 * reason. One engine is enough where the test chooses it, or where what it is about lies behind the engines.
 * Where the two differ for a client stands in test/support/engines.ts.
 */
export function enginesOf(name: string): 'both' | 'one' | null {
  const head = headOf(name);
  if (head.startsWith('// Runs over both engines.')) return 'both';
  return head.startsWith('// Runs over one engine: ') ? 'one' : null;
}

/**
 * Packages and the end-to-end tests that take longest, then the rooms by how long their files take; the last
 * one is all the rest.
 */
const longFirst = [
  'packaging/',
  'end-to-end/real-',
  'end-to-end/node-',
  'end-to-end/',
  'fuzz/',
  'soak/',
  'workers/',
  '',
];
