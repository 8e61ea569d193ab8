/**
 * The few points in which the engines differ for a client, so that one suite can run over both: what docs/decisions/010
 * and 019 say in words.
 */
import { loadUws } from '../../workers/downstream/uws/load.js';
import { engine } from './umbra.js';

const uwsLoads = loadUws().kind === 'loaded';
const served = engine === 'auto' ? (uwsLoads ? 'uws' : 'node') : engine;

/** `skip` for a test over uws: it does not load on every platform and Node version. */
export const skipUws = uwsLoads ? false : 'uWebSockets.js does not load here';

/** By engine; the tests say what each one means. */
const byEngine = {
  uws: { keepsAllBytes: false, waitsAtBareCr: true, answersHalfClosed: false, passesExpectationOn: false },
  node: { keepsAllBytes: true, waitsAtBareCr: false, answersHalfClosed: true, passesExpectationOn: true },
} as const;

/** Of the engine that this run is over. */
export const behaviour = byEngine[served as keyof typeof byEngine];
