/** Benches of whole proxies over real sockets: `node dist/bench/end-to-end/main.js --help`. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { pathToFileURL } from 'node:url';
import { against } from './against.js';
import { bulk } from './bulk.js';
import { compare } from './compare.js';
import { comparing } from './comparing.js';
import { connections } from './connections.js';
import { copies } from './copies.js';
import { fresh } from './fresh.js';
import { chooseGenerator } from './generator.js';
import { http2Peers } from './http2-peers.js';
import { idle } from './idle.js';
import { isolation } from './isolation.js';
import { memory } from './memory.js';
import { type BenchOptions, helpText, parseOptions, type ScenarioName } from './options.js';
import { peers } from './peers.js';
import { choosePlacement } from './placement.js';
import { scale } from './scale.js';
import { stalled } from './stalled.js';
import { streaming } from './streaming.js';
import type { Bench, Verdict } from './verdict.js';
import { verdictText } from './verdict.js';
import { watched } from './watched.js';
import { where } from './where.js';

const exitOk = 0;
const exitMissed = 1;
const exitUsage = 2;

const scenarios: Record<ScenarioName, (bench: Bench) => Promise<Verdict>> = {
  peers,
  compare,
  against,
  comparing,
  streaming,
  where,
  scale,
  isolation,
  watched,
  memory,
  idle,
  bulk,
  connections,
  stalled,
  copies,
  fresh,
  http2: http2Peers,
};

/** Resolves with the exit code: 1 when an aim was missed or a measurement is not valid. */
export async function endToEnd(args: readonly string[]): Promise<number> {
  let options: BenchOptions | null;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    return exitUsage;
  }
  if (options === null) {
    process.stdout.write(helpText);
    return exitOk;
  }
  // Through 'exit', on which the processes of the run are ended too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(exitMissed));
  const placement = choosePlacement(options.pin);
  const generator = chooseGenerator(placement.rest);
  const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`;
  console.log(`${machine}\n${placement.text}\nload: ${generator.name}, ${options.connections} connections`);

  const results: Record<string, Verdict> = {};
  for (const name of options.scenarios) {
    console.log(`\n== ${name}\n`);
    results[name] = await scenarios[name]({ options, placement, generator }).catch(failed);
    console.log(`\n${verdictText(results[name].aims)}`);
  }
  if (options.jsonPath !== null) {
    const report = {
      when: new Date().toISOString(),
      machine,
      placement,
      generator: generator.name,
      options,
      results,
    };
    await writeFile(options.jsonPath, `${JSON.stringify(report, null, 2)}\n`);
  }
  const isMissed = Object.values(results).some(({ aims }) => aims.some(({ isMet }) => isMet !== true));
  return isMissed ? exitMissed : exitOk;
}

/** A scenario that breaks off is a missed aim, and the others still run. */
function failed(error: unknown): Verdict {
  const found = error instanceof Error ? error.message : String(error);
  return { aims: [{ name: 'the scenario ran to its end', found, isMet: false }], measured: null };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = await endToEnd(process.argv.slice(2));
