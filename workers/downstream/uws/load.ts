import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { limits } from '../../../core/limits.js';
import { HIDE_SERVER_HEADER, type Uws } from './binding.js';
import { rewriteForOlderGlibc } from './glibc.js';

export interface LoadedUws {
  readonly kind: 'loaded';
  readonly uws: Uws;
  /** The file was rewritten for a glibc older than 2.38. */
  readonly rewritten: boolean;
}

/** uWS can't serve here: `engine: auto` goes on with `node`, `engine: uws` stops with both sentences. */
export interface UwsUnavailable {
  readonly kind: 'unavailable';
  readonly reason: string;
  readonly cure: string;
}

/** The files that the rewrite was checked on: SHA-256 of uWebSockets.js v20.57.0 as `@btc-vision/uwebsockets.js` has it. */
const rewritable = new Map([
  ['uws_linux_x64_115.node', '5b126ee00bf754b02e97e4c27090365a8562c5820c93f93918ac2212d4503e91'],
  ['uws_linux_x64_127.node', '4b55b1f2cb7a7913febbb65a89496412b96af77e838552980092ba6b33723aac'],
  ['uws_linux_x64_137.node', '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05'],
  ['uws_linux_x64_141.node', '813d788b347c6fd76b779d8932311ec05a044e612b4b83af220f16e6ea789683'],
  ['uws_linux_arm64_115.node', '6bdbc8ff976b4371af1906175e9025804bacc38a414969f4f02314e6b99f206c'],
  ['uws_linux_arm64_127.node', '82b79bd18d1e3563de336156005bd01b7f39fc387b65173d69a29da4ee79f895'],
  ['uws_linux_arm64_137.node', '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce'],
  ['uws_linux_arm64_141.node', '81d0186dd1549ed6a7f47e68e323573fc27d69d2920527654ce2dd993af2b0ec'],
]);

const PACKAGE = 'uWebSockets.js';
/** The dynamic linker's words for the one failure that the rewrite cures. */
const NEEDS_NEW_GLIBC = "version `GLIBC_2.38' not found";
const COPY_SUFFIX = '.older-glibc.node';
const USE_NODE = 'Set `engine: node` (or `auto`) on the listener';

/**
 * Loads the addon into this thread. Main must call it before any worker thread does: the bound on a request's head is
 * read from the real environment when the addon is first loaded, and only main's `process.env` is the real one.
 * Never throws. Blocks for some 50 ms where the file has to be rewritten.
 */
export function loadUws(): LoadedUws | UwsUnavailable {
  if (isMainThread) process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(limits.requestHeadBytes);
  const require = createRequire(import.meta.url);
  let directory: string;
  try {
    directory = dirname(require.resolve(PACKAGE));
  } catch {
    return unavailable(`the package ${PACKAGE} is not installed`, `Run \`npm ci\`, or: ${USE_NODE}.`);
  }
  try {
    return loaded(require(PACKAGE) as Uws, false);
  } catch (error) {
    const message = String(error);
    if (message.includes(NEEDS_NEW_GLIBC)) return loadRewritten(directory, require);
    return unavailable(
      `${PACKAGE} does not load on ${process.platform} ${process.arch} with Node ${process.versions.node}: ${lastLine(message)}`,
      `${USE_NODE}, or use Node 20, 22, 24 or 25 on Linux with glibc 2.36 or later, macOS or Windows.`,
    );
  }
}

function loadRewritten(directory: string, require: NodeJS.Require): LoadedUws | UwsUnavailable {
  const name = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  // Main has verified the copy and has it loaded: reading some 20 MB again would stay with each thread's allocator.
  const known = copyOf(directory, name);
  const copy = !isMainThread && existsSync(known) ? known : prepareOlderGlibcCopy(directory, name);
  if (typeof copy !== 'string') return copy;
  try {
    return loaded(require(copy) as Uws, true);
  } catch (error) {
    return unavailable(
      `${copy} does not load: ${lastLine(String(error))}`,
      `${USE_NODE}, or use a system with glibc 2.36 or later.`,
    );
  }
}

/**
 * Puts the rewritten copy of `directory/name` beside it and returns its path, or why that can't be done.
 * Threads and processes may race: each writes a file of its own and renames it, every winner has the same bytes, and
 * a loser's mapping keeps the file that it opened. A copy that is there already is taken only if it is what the
 * rewrite yields, so nobody who could not replace the original gets code loaded through the copy either.
 */
export function prepareOlderGlibcCopy(directory: string, name: string): string | UwsUnavailable {
  const original = join(directory, name);
  let rewritten: Buffer;
  try {
    const image = readFileSync(original);
    const digest = createHash('sha256').update(image).digest('hex');
    if (digest !== rewritable.get(name)) {
      return unavailable(
        `${original} needs glibc 2.38 and its SHA-256 ${digest} is not one that may be rewritten`,
        `Reinstall with \`npm ci\`, use a system with glibc 2.38 or later, or: ${USE_NODE}.`,
      );
    }
    rewritten = rewriteForOlderGlibc(image);
  } catch (error) {
    return unavailable(
      `${original}: ${lastLine(String(error))}`,
      `Reinstall with \`npm ci\`, or: ${USE_NODE}.`,
    );
  }
  const copy = copyOf(directory, name);
  if (holds(copy, rewritten)) return copy;

  const temporary = `${copy}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(temporary, rewritten, { flag: 'wx', mode: 0o755 });
    renameSync(temporary, copy);
    return copy;
  } catch (error) {
    rmSync(temporary, { force: true });
    return unavailable(
      `the addon must be rewritten for this glibc, and ${directory} can't be written: ${lastLine(String(error))}`,
      `Start umbra once as a user who may write there, or: ${USE_NODE}.`,
    );
  }
}

function copyOf(directory: string, name: string): string {
  return join(directory, name.replace(/\.node$/, COPY_SUFFIX));
}

function holds(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

function loaded(uws: Uws, rewritten: boolean): LoadedUws {
  uws._cfg(HIDE_SERVER_HEADER);
  return { kind: 'loaded', uws, rewritten };
}

function unavailable(reason: string, cure: string): UwsUnavailable {
  return { kind: 'unavailable', reason, cure };
}

/** uWebSockets.js puts a paragraph of its own before the system's message. */
function lastLine(message: string): string {
  return message.trimEnd().split('\n').at(-1)!;
}
