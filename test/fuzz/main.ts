/**
 * `npm run fuzz -- [--seconds N] [--seed N] [--only request,response,http2,uws,node,node-http2]`: looks
 * for a message that breaks a parser or a session of HTTP/2, or a client or version that breaks a running
 * umbra. Prints its seed; the same seed makes the same messages.
 */
import { randomInt } from 'node:crypto';
import { skipUws } from '../support/engines.js';
import { toolOptions } from '../support/tool-options.js';
import { fuzzLive } from './live.js';
import { fuzzHttp2Live } from './live-http2.js';
import { fuzzRequest, fuzzResponse } from './parsers.js';
import { Chance } from './random.js';
import { fuzzSession } from './sessions.js';

const parsers = { request: fuzzRequest, response: fuzzResponse, http2: fuzzSession } as const;
const targets = ['request', 'response', 'http2', ...(skipUws === false ? ['uws'] : []), 'node', 'node-http2'];

/** Fuzzes one target for `ms`; resolves with how many messages or connections it made. */
async function fuzz(target: string, seed: number, ms: number): Promise<number> {
  const end = performance.now() + ms;
  const stop = (): boolean => performance.now() >= end;
  if (target === 'node-http2') return fuzzHttp2Live(seed, stop);
  if (!isParser(target)) return fuzzLive(target, seed, stop);
  const chance = new Chance(seed);
  let made = 0;
  for (; !stop(); made++) parsers[target](chance);
  return made;
}

function isParser(target: string): target is keyof typeof parsers {
  return Object.hasOwn(parsers, target);
}

async function main(): Promise<void> {
  const { values } = toolOptions('npm run fuzz --', {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    only: { type: 'string', default: targets.join() },
  });
  const chosen = values.only.split(',');
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!(seconds > 0) || !Number.isInteger(seed) || chosen.some((one) => !targets.includes(one))) {
    throw new Error(`--seconds and --seed are numbers, --only is a list of ${targets.join(', ')}`);
  }
  console.log(`seed ${seed}`);
  for (const target of chosen) {
    const began = performance.now();
    const made = await fuzz(target, seed, (seconds / chosen.length) * 1000);
    console.log(`${target}: ${made} in ${Math.round((performance.now() - began) / 1000)} s, nothing wrong`);
  }
}

if (process.argv[1] === import.meta.filename) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
