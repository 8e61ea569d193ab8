/**
 * The few points in which the engines differ for a client, so that one suite can run over both: what docs/decisions/010
 * and 019 say in words.
 */
import { loadUws } from '../../workers/downstream/uws/load.js';
import { engine } from './umbra.js';

const uwsLoads = loadUws().kind === 'loaded';

/** Of this run's listeners. */
export const served = engine === 'auto' ? (uwsLoads ? 'uws' : 'node') : engine;

/** For tests that run over each engine themselves. */
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
  },
  node: {
    keepsAllBytes: true,
    waitsAtBareCr: false,
    answersHalfClosed: true,
    passesExpectationOn: true,
    tunnelsBytes: true,
  },
} as const;

/** Of the engine that this run is over. */
export const behaviour = byEngine[served as keyof typeof byEngine];
