/**
 * The few points in which the engines differ for a client, so that one suite can run over both: what
 * docs/decisions/010 and 019 say in words.
 */
import { Sharing, sharingOf } from '../../workers/downstream/node/listening.js';
import { loadUws } from '../../workers/downstream/uws/load.js';
import { engine } from './umbra.js';

const uwsLoads = loadUws().kind === 'loaded';

/** The engine of this run's listeners. */
export const served = engine === 'auto' ? 'node' : engine;

/** The engines for tests that run over each of them themselves. */
export const engines: readonly string[] = uwsLoads ? ['uws', 'node'] : ['node'];

/** `skip` for a test over uws: it does not load on every platform and Node version. */
export const skipUws = uwsLoads ? false : 'uWebSockets.js does not load here';

/** By engine. */
const byEngine = {
  uws: {
    /** Bytes of 0x80 and above at the ends of a value, and what is not UTF-8, arrive. */
    keepsAllBytes: false,
    /** A bare CR in a head is no error until the time for a head is over. */
    waitsAtBareCr: true,
    /** A client that has closed its side gets its answer, and is not taken for gone. */
    answersHalfClosed: false,
    /** `Expect` goes to the primary, and the 100 is the primary's. */
    passesExpectationOn: false,
    /** An upgrade is a tunnel of bytes: any protocol, and whatever extensions the two ends agree on. */
    tunnelsBytes: false,
    /** A request that comes before the answer to the one before it is answered too. */
    pipelines: false,
    /** What is refused closes its connection at once. */
    refusesAtOnce: false,
    /** Chunks are read by the letter of the grammar. */
    chunksAreStrict: false,
    /** Cases of the smuggling battery that are valid but refused. */
    refuses: [
      'chunk extensions',
      'chunk extensions in quotes',
      'trailers that frame',
      'empty lines before a request',
    ] as string[],
    /**
     * Cases of the smuggling battery: wrong, but taken for what it would be without the bytes or fields that
     * uWS does not show.
     */
    accepts: [
      'length 1\u00a0',
      'coding \u00a0chunked',
      'coding chunked\u0085',
      'an empty name before a length',
    ] as string[],
    /** A head that comes too late is answered and counted. */
    countsLateHeads: false,
  },
  node: {
    keepsAllBytes: true,
    waitsAtBareCr: false,
    answersHalfClosed: true,
    passesExpectationOn: true,
    tunnelsBytes: true,
    pipelines: true,
    refusesAtOnce: true,
    chunksAreStrict: true,
    refuses: [] as string[],
    accepts: [] as string[],
    countsLateHeads: true,
  },
} as const;

/** Limits of the engine that this run uses. */
export const behaviour = byEngine[served as keyof typeof byEngine];

/** `skip` for takeovers: two processes share a port in turn where the kernel and Node can. */
export const skipTakeover =
  process.platform !== 'linux'
    ? 'ports are shared in turn on Linux alone'
    : served === 'node' && sharingOf({ kind: 'tcp', host: '127.0.0.1', port: 0 }) !== Sharing.REUSE_PORT
      ? 'the node engine shares ports from Node 22.12 on'
      : false;
