/** A moment of `npm run fuzz` with a fixed seed, so that it keeps working. */
import t from '../support/tap.js';
import { fuzzLive } from './live.js';
import { fuzzHttp2Live } from './live-http2.js';
import { fuzzRequest, fuzzResponse } from './parsers.js';
import { Chance } from './random.js';
import { fuzzSession } from './sessions.js';

const seed = 20_24;

t.test('3,000 requests and responses that are nearly right mean the same in any cuts', async () => {
  const chance = new Chance(seed);
  for (let i = 0; i < 3000; i++) {
    fuzzRequest(chance);
    fuzzResponse(chance);
  }
});

t.test('1,000 conversations of HTTP/2 that are nearly right mean the same in any cuts', async () => {
  const chance = new Chance(seed);
  for (let i = 0; i < 1000; i++) fuzzSession(chance);
});

t.test('a hostile round leaves umbra well', async (t) => {
  let rounds = 0;
  const made = await fuzzLive('auto', seed, () => rounds++ > 300);
  t.ok(made > 0, `${made} connections`);
});

t.test('a hostile round over HTTP/2 leaves umbra well, and a client that behaves unmoved', async (t) => {
  let rounds = 0;
  const made = await fuzzHttp2Live(seed, () => rounds++ > 100);
  t.ok(made > 0, `${made} connections`);
});
