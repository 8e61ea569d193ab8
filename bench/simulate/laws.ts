/**
 * Services that do not exist: laws by which the latencies of two versions fall. Each pair has a part that
 * both versions share (the request, the moment) and a part of each version's own.
 */

/** Draws that a law is made of. */
export interface Draws {
  /** A number from 0 to 1. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
}

export interface Law {
  readonly name: string;
  /** What the law assumes of a pair, for the page that shows the results. */
  readonly about: string;
  /** A fresh span: stalls fall elsewhere each time. */
  begin(draws: Draws, spanS: number): Moment;
}

/** Writes the latencies of one pair at `atS` seconds, in microseconds: the primary's, then the shadow's. */
export type Moment = (atS: number, into: Float64Array) => void;

const medianUs = 5000;
/** The smallest latency of the heavy-tailed law. */
const paretoUs = 5000;

/** Two versions with equal lognormal latencies, of which `shared` of the variance is the request's. */
function lognormal(draws: Draws, sigma: number, shared: number, into: Float64Array): void {
  const request = draws.normal() * Math.sqrt(shared);
  const own = Math.sqrt(1 - shared);
  into[0] = medianUs * Math.exp(sigma * (request + own * draws.normal()));
  into[1] = medianUs * Math.exp(sigma * (request + own * draws.normal()));
}

/** Stalls: when they begin, and how long each lasts. The returned function is asked in order of time. */
export function stalls(draws: Draws, spanS: number, everyS: number, meanS: number): (atS: number) => boolean {
  const ends: [number, number][] = [];
  for (let atS = 0; ; ) {
    atS -= everyS * Math.log(1 - draws.uniform());
    if (atS > spanS) break;
    const lastsS = -meanS * Math.log(1 - draws.uniform());
    ends.push([atS, atS + lastsS]);
  }
  let next = 0;
  return (atS) => {
    while (next < ends.length && ends[next][1] < atS) next++;
    return next < ends.length && ends[next][0] <= atS;
  };
}

export const laws: readonly Law[] = [
  {
    name: 'lognormal',
    about: 'sigma 0.5, half of the variance is the request’s',
    begin: (draws) => (_, into) => lognormal(draws, 0.5, 0.5, into),
  },
  {
    name: 'bimodal',
    about: 'one request in five takes eight times as long, in both versions; sigma 0.3 of their own',
    begin: (draws) => (_, into) => {
      lognormal(draws, 0.3, 0, into);
      if (draws.uniform() >= 0.2) return;
      into[0] *= 8;
      into[1] *= 8;
    },
  },
  {
    name: 'heavy-tailed',
    about: 'Pareto with exponent 1.5, nothing is shared',
    begin: (draws) => (_, into) => {
      into[0] = paretoUs * (1 - draws.uniform()) ** (-1 / 1.5);
      into[1] = paretoUs * (1 - draws.uniform()) ** (-1 / 1.5);
    },
  },
  {
    name: 'shared bursts',
    about: 'lognormal; a tenth of the time both take up to eight times as long',
    begin: (draws, spanS) => {
      const stalled = stalls(draws, spanS, spanS / 20, spanS / 200);
      return (atS, into) => {
        lognormal(draws, 0.5, 0.5, into);
        if (!stalled(atS)) return;
        into[0] *= 1 + 7 * draws.uniform();
        into[1] *= 1 + 7 * draws.uniform();
      };
    },
  },
  {
    name: 'own bursts',
    about:
      'lognormal; each version stalls by itself for a twentieth of the time, and then takes ten times as long',
    begin: (draws, spanS) => {
      const first = stalls(draws, spanS, spanS / 15, spanS / 300);
      const second = stalls(draws, spanS, spanS / 15, spanS / 300);
      return (atS, into) => {
        lognormal(draws, 0.5, 0.5, into);
        if (first(atS)) into[0] *= 10;
        if (second(atS)) into[1] *= 10;
      };
    },
  },
  {
    name: 'drift',
    about: 'lognormal; the load makes both up to three times as slow and fast again',
    begin: (draws, spanS) => (atS, into) => {
      lognormal(draws, 0.5, 0.5, into);
      const load = 2 + Math.sin((2 * Math.PI * atS) / spanS);
      into[0] *= load;
      into[1] *= load;
    },
  },
];

/** Pairs whose two latencies have nothing in common: what such a service needs is in docs/methods.md. */
export const unsharedLaw: Law = {
  name: 'nothing shared',
  about: 'lognormal, sigma 1, nothing is shared',
  begin: (draws) => (_, into) => lognormal(draws, 1, 0, into),
};
