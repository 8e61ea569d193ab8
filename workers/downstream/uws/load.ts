import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

/** uWS can't serve here: `engine: auto` continues with `node`, `engine: uws` stops with both sentences. */
export interface UwsUnavailable {
  readonly kind: 'unavailable';
  readonly reason: string;
  readonly cure: string;
}

/**
 * The files that the rewrite was checked on: SHA-256 of uWebSockets.js v20.57.0 as
 * `@btc-vision/uwebsockets.js` has it, before and after.
 */
const rewritable = new Map([
  [
    'uws_linux_x64_115.node',
    {
      original: '5b126ee00bf754b02e97e4c27090365a8562c5820c93f93918ac2212d4503e91',
      rewritten: '27db88818599318676c63c17887ce3731867932822292e1bdec6744a83078829',
    },
  ],
  [
    'uws_linux_x64_127.node',
    {
      original: '4b55b1f2cb7a7913febbb65a89496412b96af77e838552980092ba6b33723aac',
      rewritten: '0ebd47e64e89a52d79fcc6ae3e0371b49c30c6b9cc340667fdaf405f2f0f332c',
    },
  ],
  [
    'uws_linux_x64_137.node',
    {
      original: '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
      rewritten: '3cffb08b755602ca4be2db602787b6f7f31f680a40a3ddf7c93abda639a54da2',
    },
  ],
  [
    'uws_linux_x64_141.node',
    {
      original: '813d788b347c6fd76b779d8932311ec05a044e612b4b83af220f16e6ea789683',
      rewritten: 'b3a88b0a5d8a75daba8f9f84297c3a2b3a83e587fd1fa93b29cbeb30362eb02e',
    },
  ],
  [
    'uws_linux_arm64_115.node',
    {
      original: '6bdbc8ff976b4371af1906175e9025804bacc38a414969f4f02314e6b99f206c',
      rewritten: '9a7d685ca3b074303618c5b2cf76d2db9fdc9a5d6a8800b8d6c68115c1924dee',
    },
  ],
  [
    'uws_linux_arm64_127.node',
    {
      original: '82b79bd18d1e3563de336156005bd01b7f39fc387b65173d69a29da4ee79f895',
      rewritten: '3b58a3fe472c8717906f2893b31e67a4f74d29db125309455192abf8177c08ef',
    },
  ],
  [
    'uws_linux_arm64_137.node',
    {
      original: '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce',
      rewritten: 'c5373b176893758aad3323437145e22a49359d78d7ec842ee3c59ed79b7b6e01',
    },
  ],
  [
    'uws_linux_arm64_141.node',
    {
      original: '81d0186dd1549ed6a7f47e68e323573fc27d69d2920527654ce2dd993af2b0ec',
      rewritten: '6016bec38bfde30d79b9593cb5f502d958d0f1002c13d83763b6fea146e42147',
    },
  ],
]);

const PACKAGE = 'uWebSockets.js';
/** The dynamic linker's words for the one failure that the rewrite cures. */
const NEEDS_NEW_GLIBC = "version `GLIBC_2.38' not found";
const PIECE_BYTES = 64 * 1024;
const COPY_SUFFIX = '.older-glibc.node';
/** The cure names both ways to install: `npm ci` is for checkouts alone. */
const REINSTALL = 'Install the package again (`npm ci` in a checkout, `npm install` elsewhere)';
const USE_NODE = 'Set `engine: node` (or `auto`) on the listener';

let asked = false;

/**
 * Loads the addon into this thread. Main must call it before any worker thread does: the bound on a request's
 * head is read from the real environment when the addon is first loaded, and only main's `process.env` is the
 * real one. The first call's `headBytesMax` holds for the process. Never throws. Blocks for some 50 ms where
 * the file has to be rewritten.
 */
export function loadUws(headBytesMax: number = limits.requestHeadBytes): LoadedUws | UwsUnavailable {
  // A parent that loaded the addon too may have left its own size in our environment.
  if (isMainThread && !asked) process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(headBytesMax);
  asked = true;
  const require = createRequire(import.meta.url);
  let directory: string;
  try {
    directory = dirname(require.resolve(PACKAGE));
  } catch {
    return unavailable(
      `the package ${PACKAGE} is not installed`,
      `Install it with \`npm install --include=optional\`, or: ${USE_NODE}.`,
    );
  }
  try {
    return loaded(require(PACKAGE) as Uws, false);
  } catch (error) {
    const message = String(error);
    if (message.includes(NEEDS_NEW_GLIBC)) return loadRewritten(directory, require);
    return unavailable(
      `${PACKAGE} does not load on ${process.platform} ${process.arch} with Node ${process.versions.node}: ${causeOf(message)}`,
      `${USE_NODE}, or use Node 20, 22, 24 or 25 on Linux with glibc 2.36 or later, macOS or Windows.`,
    );
  }
}

/** In one line. The message about a file that is missing ends with who asked for it. */
function causeOf(message: string): string {
  return message.includes('Cannot find module') ? 'the package has no build for it' : lastLine(message);
}

function loadRewritten(directory: string, require: NodeJS.Require): LoadedUws | UwsUnavailable {
  const name = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  // Main has verified the copy and has it loaded: reading some 20 MB again would stay with each thread's
  // allocator.
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
 * Threads and processes may race: each writes a file of its own and renames it, every winner has the same
 * bytes, and a loser's mapping keeps the file that it opened. A copy that is there already is taken only if
 * it is, by its digest, what the rewrite yields, so nobody who could not replace the original gets code
 * loaded through the copy either.
 */
export function prepareOlderGlibcCopy(directory: string, name: string): string | UwsUnavailable {
  const original = join(directory, name);
  const copy = copyOf(directory, name);
  const pinned = rewritable.get(name);
  if (pinned !== undefined && holds(copy, pinned.rewritten)) return copy;

  let rewritten: Buffer;
  try {
    const digest = digestOf(original);
    if (digest !== pinned?.original) {
      return unavailable(
        `${original} needs glibc 2.38 and its SHA-256 ${digest} is not one that may be rewritten`,
        `${REINSTALL}, use a system with glibc 2.38 or later, or: ${USE_NODE}.`,
      );
    }
    rewritten = rewriteForOlderGlibc(readFileSync(original));
  } catch (error) {
    return unavailable(`${original}: ${lastLine(String(error))}`, `${REINSTALL}, or: ${USE_NODE}.`);
  }
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

/** Whether the file at `path` is the one with this digest; one that can't be read is not. */
function holds(path: string, digest: string): boolean {
  try {
    return digestOf(path) === digest;
  } catch {
    return false;
  }
}

/**
 * SHA-256 in hex; throws the system's error. In pieces: a buffer of the file's size, once freed, makes glibc
 * keep that much more free memory for the rest of the process's life.
 */
function digestOf(path: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  const file = openSync(path, 'r');
  try {
    for (let count = readSync(file, piece); count > 0; count = readSync(file, piece)) {
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
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

/** `requireUws` is `loadUws` that throws one line with cause and cure. */
export function requireUws(): Uws {
  const loaded = loadUws();
  if (loaded.kind === 'loaded') return loaded.uws;
  throw new Error(`uWebSockets.js can't be used: ${loaded.reason}. ${loaded.cure}`);
}
