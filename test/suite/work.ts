/** What a run of the suite is made of: files, and over which engine. */
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { served } from '../support/engines.js';
import { runsOnce } from './runs-once.js';

/** One process of the suite. */
export interface Piece {
  /** Path of the compiled test. */
  readonly file: string;
  /** The test as people name it: `end-to-end/websocket, node engine`. */
  readonly name: string;
  /** Null: the one that `auto` takes. */
  readonly engine: 'node' | null;
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
 * The pieces that these files make, those first that take long: what starts last should not be what all the
 * others wait for. Files of the end-to-end suite come a second time, over the node engine, unless the first
 * time was over it or `runsOnce` says why not.
 */
export function piecesOf(files: readonly string[]): Piece[] {
  const pieces = files.flatMap((file): Piece[] => {
    const name = relative(tests, file).replaceAll(sep, '/').slice(0, -ending.length);
    const once: Piece = { file, name, engine: null };
    if (served === 'node' || !name.startsWith(endToEnd) || name.slice(endToEnd.length) in runsOnce)
      return [once];
    return [once, { file, name: `${name}, node engine`, engine: 'node' }];
  });
  const rank = ({ name }: Piece): number => longFirst.findIndex((start) => name.startsWith(start));
  return pieces.sort((a, b) => rank(a) - rank(b));
}

/**
 * The end-to-end tests that take longest, then the rooms by how long their files take; the last one is all
 * the rest.
 */
const longFirst = ['end-to-end/real-', 'end-to-end/node-', 'end-to-end/', 'fuzz/', 'soak/', 'workers/', ''];
