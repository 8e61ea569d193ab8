/**
 * A process: one version of a service that is rolled out. Arguments: its name, how many times as long it
 * takes, the share of requests that it fails, and of which (`all`, or `unsafe`: POSTs that are no copies, as
 * a version does whose writes are broken). Sends its port. Answers alike but for a field that is not
 * compared, and marks the answers that it fails on purpose.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seededDraws } from '../simulate/run.js';

const [, , name, slowerText, errorsText, failing] = process.argv;
const slower = Number(slowerText);
const errors = Number(errorsText);
const draws = seededDraws(process.pid);
const medianMs = 15;
const sigma = 0.3;
const body = JSON.stringify({ of: 'reviews', items: [1, 2, 3] });

const server = createServer((request, response) => {
  request.resume();
  const isCopy = request.headers.host?.includes('-shadow') ?? false;
  const mayFail = failing === 'all' || (request.method === 'POST' && !isCopy);
  const fails = mayFail && draws.uniform() < errors;
  const takesMs = medianMs * slower * Math.exp(sigma * draws.normal());
  setTimeout(() => {
    response.writeHead(fails ? 500 : 200, {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-version': name,
      ...(fails ? { 'x-on-purpose': 'yes' } : {}),
    });
    response.end(body);
  }, takesMs);
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', 4096, () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
