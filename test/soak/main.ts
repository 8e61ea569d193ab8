/**
 * `npm run soak -- [--minutes N] [--seed N]`: the fault matrix for as long as is asked. Exit 0: the law held
 * and no client noticed. `npm run soak -- stream [--requests N]`: a stream with shadows elsewhere, and the
 * same. `npm run soak -- attacks [NAME…] [--seconds N]`: 100 clients at half load, with and without each
 * attack in turns; exit 0 if neither their p99 nor the slowest of them was more than 20 ms longer.
 * `npm run soak -- transfers [--seconds N]`: long transfers through umbra and nginx; exit 0 if they end
 * alike.
 */
import type { Stats } from '../../core/report/stats.js';
import { listed } from '../support/law.js';
import { noNats } from '../support/nats.js';
import { nginxVersion } from '../support/nginx.js';
import { toolOptions } from '../support/tool-options.js';
import { attackNames, longerMsMax, runAttack } from './attacks.js';
import { soak } from './soak.js';
import { streamSoak, streamVerdict } from './stream.js';
import { transfers } from './transfers.js';
import { verdictOf } from './verdict.js';

const usage =
  'usage: npm run soak -- [--minutes N] [--seed N]\n       npm run soak -- stream [--requests N]\n       npm run soak -- attacks [NAME…] [--seconds N]\n       npm run soak -- transfers [--seconds N]\n';
const { values, positionals } = toolOptions(
  'npm run soak --',
  {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    requests: { type: 'string', default: '200000' },
    seconds: { type: 'string' },
  },
  { allowPositionals: true, usage },
);
if (positionals.length === 0) await soakShadows(Number(values.minutes), Number(values.seed));
else if (positionals.join() === 'stream') await soakStream(Number(values.requests));
else if (positionals.join() === 'transfers') await soakTransfers(Number(values.seconds ?? 60));
else if (positionals[0] === 'attacks') await attack(positionals.slice(1), Number(values.seconds ?? 15));
else end(2, usage);

async function attack(asked: readonly string[], seconds: number): Promise<void> {
  const names = asked.length === 0 ? attackNames : asked;
  const unknown = names.find((name) => !attackNames.includes(name));
  if (unknown !== undefined) end(2, `soak: no attack is called ${unknown}: ${attackNames.join(', ')}\n`);
  if (!(seconds > 0)) end(2, usage);
  const problems: string[] = [];
  for (const name of names) {
    const { perSecond, without, during, gap } = await runAttack(name, seconds);
    const [p99LongerMs, longerMs] = [during.p99Ms - without.p99Ms, during.slowestMs - without.slowestMs];
    process.stdout.write(
      `${name}: ${Math.round(perSecond)} requests/s; without: p99 ${without.p99Ms.toFixed(1)} ms, slowest ${without.slowestMs.toFixed(1)} ms; ` +
        `under attack: p99 ${during.p99Ms.toFixed(1)} ms, slowest ${during.slowestMs.toFixed(1)} ms; ` +
        `${during.failures.length} of ${during.requests} failed, ${without.failures.length} of ${without.requests} without\n`,
    );
    if (p99LongerMs > longerMsMax)
      problems.push(`${name}: the p99 of clients is ${p99LongerMs.toFixed(1)} ms longer`);
    if (longerMs > longerMsMax) problems.push(`${name}: a client waited ${longerMs.toFixed(1)} ms longer`);
    if (during.failures.length > 0)
      problems.push(`${name}: ${during.failures.length} failed, the first with ${during.failures[0]}`);
    if (gap !== 0) problems.push(`${name}: ${gap} copies are not accounted for`);
  }
  tell(problems);
}

async function soakTransfers(seconds: number): Promise<void> {
  if (!(seconds > 0)) end(2, usage);
  if (nginxVersion() === null) end(2, 'soak: nginx is not installed\n');
  const problems: string[] = [];
  for (const { name, umbra, nginx } of await transfers(seconds)) {
    const [ofUmbra, ofNginx] = [JSON.stringify(umbra), JSON.stringify(nginx)];
    process.stdout.write(`${name} of ${seconds} s: umbra ${ofUmbra}, nginx ${ofNginx}\n`);
    if (ofUmbra !== ofNginx) problems.push(`${name}: umbra and nginx end it differently`);
    if (!umbra.whole) problems.push(`${name}: the response is not whole`);
  }
  tell(problems, 'all of them ended alike');
}

async function soakStream(requests: number): Promise<void> {
  if (!Number.isInteger(requests) || requests < 1) end(2, usage);
  if (noNats !== false) end(2, `soak: ${noNats}\n`);
  const startMs = performance.now();
  const result = await streamSoak({ requests, log: (line) => process.stdout.write(`${line}\n`) });
  const { acknowledged, lost, reached, deliveries, mirrors } = result;
  for (const { eligible, sent, completed, dropped, failed, inFlight } of mirrors)
    process.stdout.write(
      `${eligible} eligible = ${sent} sent + dropped ${listed(dropped)}; ${completed} completed + failed ${listed(failed)} + ${inFlight} in flight\n`,
    );
  process.stdout.write(
    `${result.requests} requests: ${acknowledged} acknowledged + ${lost} lost; ${reached} reached v2, in ${deliveries} deliveries; ${Math.round((performance.now() - startMs) / 1000)} s\n`,
  );
  tell(streamVerdict(result));
}

async function soakShadows(minutes: number, seed: number): Promise<void> {
  if (!(minutes > 0) || !Number.isInteger(seed)) end(2, usage);
  process.stdout.write(`soak: ${minutes} minutes, seed ${seed}\n`);
  const result = await soak({
    seconds: minutes * 60,
    seed,
    log: (line) => process.stdout.write(`${line}\n`),
  });
  const {
    answered,
    kills,
    changes,
    takeovers,
    cutByKills,
    cutByTakeovers,
    clientErrors,
    faults,
    stoodStillMs,
  } = result;
  process.stdout.write(
    `${answered} answers compared, ${changes} changes, ${takeovers} takeovers, kills: ${listed(kills)}\n` +
      `faults of the shadows: ${listed(faults)}\n` +
      `connections cut with their proxy thread: ${cutByKills}, by the kernel at a takeover: ${cutByTakeovers}\n` +
      `the thread of clients and versions stood still for at most ${stoodStillMs} ms\n`,
  );
  for (const account of result.stats) showAccount(account);
  for (const error of clientErrors.slice(0, 20)) process.stdout.write(`CLIENT ERROR ${error}\n`);
  tell(verdictOf(result));
}

/** One process: the last one, or one whose place was taken. */
function showAccount(stats: Stats): void {
  for (const [name, { primary }] of Object.entries(stats.versions)) {
    if (primary !== null)
      process.stdout.write(
        `${name} as primary: ${primary.requests} requests, failed ${listed(primary.failures)}\n`,
      );
  }
  for (const mirror of stats.mirrors) {
    process.stdout.write(
      `${mirror.route} to ${mirror.to}: ${mirror.eligible} eligible = ${mirror.sent} sent + dropped ${listed(mirror.dropped)}; ` +
        `${mirror.completed} completed + failed ${listed(mirror.failed)} + ${mirror.inFlight} in flight\n`,
    );
  }
}

function tell(problems: readonly string[], good = 'the law held, and no client noticed'): void {
  for (const problem of problems) process.stdout.write(`BROKEN ${problem}\n`);
  process.stdout.write(problems.length === 0 ? `${good}\n` : 'FAILED\n');
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function end(code: number, text: string): never {
  process.stderr.write(text);
  process.exit(code);
}
