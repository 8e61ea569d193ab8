/** What a run of the suite is made of: files, and over which engine. */
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engines } from '../support/engines.js';
import { engine } from '../support/umbra.js';
import { runsOnce } from './runs-once.js';

/** One process of the suite. */
export interface Piece {
  /** Path of the compiled test. */
  readonly file: string;
  /** The name for people: `end-to-end/websocket, uws engine`. */
  readonly name: string;
  /** `uws` for the second run of a file; null for the engine that `auto` chooses. */
  readonly engine: 'uws' | null;
}

const tests = fileURLToPath(new URL('../', import.meta.url));
const ending = '.test.js';
const endToEnd = 'end-to-end/';

/** Every test there is. */
export function allTests(): string[] {
  const found = readdirSync(tests, { recursive: true, encoding: 'utf8' });
  return found.filter((name) => name.endsWith(ending)).map((name) => join(tests, name));
}

/**
 * `piecesOf` returns the processes that run `files`, longest first, so that the last one does not keep all
 * the others waiting. Files of the end-to-end suite run a second time over the uws engine where it loads,
 * unless `runsOnce` has a reason against it or the caller chose an engine (`UMBRA_ENGINE`).
 */
export function piecesOf(files: readonly string[]): Piece[] {
  const isChosen = engine !== 'auto' || !engines.includes('uws');
  const pieces = files.flatMap((file): Piece[] => {
    const name = relative(tests, file).replaceAll(sep, '/').slice(0, -ending.length);
    const once: Piece = { file, name, engine: null };
    if (isChosen || !name.startsWith(endToEnd) || name.slice(endToEnd.length) in runsOnce) return [once];
    return [once, { file, name: `${name}, uws engine`, engine: 'uws' }];
  });
  const rank = ({ name }: Piece): number => longFirst.findIndex((start) => name.startsWith(start));
  return pieces.sort((a, b) => rank(a) - rank(b));
}

/**
 * The end-to-end tests that take longest, then the rooms by how long their files take; the last one is all
 * the rest.
 */
const longFirst = ['end-to-end/real-', 'end-to-end/node-', 'end-to-end/', 'fuzz/', 'soak/', 'workers/', ''];
