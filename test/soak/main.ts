/** `npm run soak -- [--minutes N] [--seed N]`: the fault matrix for as long as is asked. Exit 0: the law held and no client noticed. */
import { parseArgs } from 'node:util';
import { told } from '../support/law.js';
import { soak } from './soak.js';
import { verdictOf } from './verdict.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write('usage: npm run soak -- [--minutes N] [--seed N]\n');
  process.exit(2);
}
process.stdout.write(`soak: ${minutes} minutes, seed ${seed}\n`);
const result = await soak({ seconds: minutes * 60, seed, log: (line) => process.stdout.write(`${line}\n`) });
const { answered, kills, changes, cutByKills, clientErrors, faults, stoodStillMs, stats } = result;
process.stdout.write(
  `${answered} answers compared, ${changes} changes, kills: ${told(kills)}\n` +
    `faults of the shadows: ${told(faults)}\n` +
    `connections cut with their proxy thread: ${cutByKills}\n` +
    `the thread of clients and versions stood still for at most ${stoodStillMs} ms\n`,
);
for (const [name, { primary }] of Object.entries(stats.versions)) {
  if (primary !== null)
    process.stdout.write(
      `${name} as primary: ${primary.requests} requests, failed ${told(primary.failures)}\n`,
    );
}
for (const mirror of stats.mirrors) {
  process.stdout.write(
    `${mirror.route} to ${mirror.to}: ${mirror.eligible} eligible = ${mirror.sent} sent + dropped ${told(mirror.dropped)}; ` +
      `${mirror.completed} completed + failed ${told(mirror.failed)} + ${mirror.inFlight} in flight\n`,
  );
}
for (const error of clientErrors.slice(0, 20)) process.stdout.write(`CLIENT ERROR ${error}\n`);
const problems = verdictOf(result);
for (const problem of problems) process.stdout.write(`BROKEN ${problem}\n`);
process.stdout.write(problems.length === 0 ? 'the law held, and no client noticed\n' : 'FAILED\n');
process.exitCode = problems.length === 0 ? 0 : 1;
