/**
 * `umbra demo`: two versions of a small service behind a real umbra. First all traffic goes to v1; then the
 * configuration file gains a mirror, as a user would write it, and a copy of everything goes to v2.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DemoOptions } from '../../config/commands/demo.js';
import { originOf } from '../../config/origin.js';
import { wallClockMs } from '../../core/clock.js';
import { type MirrorSnapshot, subtractVersion, type VersionSnapshot } from '../../core/record/snapshot.js';
import { type Compared, comparisonText } from '../../core/report/comparison-text.js';
import { diffGroupLines } from '../../core/report/diffs-text.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import type { Stats } from '../../core/report/stats.js';
import { mirrorLines as verdictLines } from '../../core/verdict/verdict-text.js';
import { openInBrowser } from '../demo/browser.js';
import { Callers } from '../demo/callers.js';
import { GrpcClient } from '../demo/grpc-client.js';
import { getMethod, reviewsDescriptors } from '../demo/grpc-service.js';
import { HttpClient } from '../demo/http-client.js';
import { LogTail } from '../demo/log-tail.js';
import type { OriginPorts } from '../demo/origin-thread.js';
import { paint } from '../demo/paint.js';
import { release } from '../demo/release.js';
import { serveServices } from '../demo/serve.js';
import { engineNames } from '../downstream/acceptors.js';
import { loadInThread } from '../main/loading.js';
import { LogFilter, logMessage, openLog } from '../main/log.js';
import { Umbra } from '../main/main.js';
import { entryFile } from '../protocol/entry.js';
import { sendToAdmin } from './admin-request.js';

/** Where neither is asked for, and nothing else has them. */
const defaultPort = 8080;
const defaultAdminPort = 9901;
/** The part of `--for` that shows v1 alone; without `--for`, this long. */
const aloneShare = 0.2;
/** The part that mirrors to v2 before the rollout. */
const mirroredShare = 0.35;
/** The least time of a step of the rollout. */
const stepShare = 0.06;
const defaultForMs = 60_000;
/** How many times as many calls there are while v2 is released, so that a step takes seconds. */
const releaseFactor = 8;
/** Copies that are in flight end within this time. */
const restMs = 2000;
const aloneMs = 6000;
const adminTimeoutMs = 15_000;

/** What had been measured at one moment; null where there was nothing to measure yet. */
interface Figures {
  readonly v1: VersionSnapshot | null;
  readonly v2: VersionSnapshot | null;
  readonly mirror: MirrorSnapshot | null;
}

const mirrorLines = `    mirrors:
      - to: v2
        percent: 100
`;
const grpcMirrorLines = `${mirrorLines}        compare: { sample: 100%, protobuf: { descriptors: reviews.binpb } }
`;

interface Place {
  readonly directory: string;
  readonly config: string;
  readonly accessLog: string;
}

export async function demoCommand(options: DemoOptions): Promise<number> {
  if (options.services !== null) return serveServices(options.services);
  const directory = await mkdtemp(join(tmpdir(), 'umbra-demo-'));
  const place = {
    directory,
    config: join(directory, 'umbra.yaml'),
    accessLog: join(directory, 'access.log'),
  };
  const origins = new Worker(entryFile('demo/origin-thread'), {
    workerData: { bad: options.bad, grpc: options.grpc },
  });
  try {
    if (options.grpc) await writeFile(join(directory, 'reviews.binpb'), reviewsDescriptors());
    const ports = await new Promise<OriginPorts>((resolve, reject) => {
      origins.once('message', resolve);
      origins.once('error', reject);
    });
    return await play(options, place, ports);
  } finally {
    await origins.terminate();
    await rm(directory, { recursive: true, force: true });
  }
}

async function play(options: DemoOptions, place: Place, ports: OriginPorts): Promise<number> {
  const interrupted = untilInterrupted();
  const { umbra, yaml } = await startUmbra(options, place, ports);
  const url = umbra.listening[0];
  const tail = await LogTail.follow(place.accessLog, (line) => print(labelled(line, ports)));
  const callers = callersOf(url, options.rate, options);
  introduce(umbra, ports, options, place);

  chapter('1', 'every request goes to v1');
  await Promise.race([interrupted, passed(options.forMs === null ? aloneMs : options.forMs * aloneShare)]);

  await callers.stop();
  await tail.look();
  chapter('2', 'the route gains a mirror: a copy of every request goes to v2 as well');
  print(`  these lines are added to ${paint('bold', place.config)}, and umbra takes them while it runs:\n`);
  const added = options.grpc ? grpcMirrorLines : mirrorLines;
  print(paint('green', added.replace(/^/gm, '  + ').replace(/ {2}\+ $/, '')));
  const before = read(umbra);
  await writeFile(place.config, yaml + added);
  const taken = await umbra.replace(originOf(place.config, []));
  if (!taken.ok) throw new Error(`${taken.message}\n${taken.problems.join('\n')}`);
  print(`  taken by every thread as generation ${taken.generation}\n`);
  const mirrored = callersOf(url, options.rate, options);
  const mirroredMs = options.forMs === null ? aloneMs : options.forMs * mirroredShare;
  await Promise.race([interrupted, passed(mirroredMs)]);
  await mirrored.stop();
  await untilRest(umbra);
  await tail.look();
  chapter('3', 'the same requests, on both versions');
  print(comparisonText(since(before, read(umbra))));

  const laterRate = options.rate * (options.grpc ? 1 : releaseFactor);
  const released = callersOf(url, laterRate, options);
  await tail.close();
  let isOver = false;
  const ended = Promise.race([
    interrupted,
    options.forMs === null
      ? new Promise<void>(() => {})
      : passed(options.forMs * (1 - aloneShare - mirroredShare)),
  ]).then(() => {
    isOver = true;
  });
  if (umbra.admin !== null && options.grpc) {
    chapter('4', 'umbra diffs, umbra verdict: what differs, and whether v2 may be released');
    await printJudgement(umbra.admin);
  } else if (umbra.admin !== null) {
    chapter('4', `umbra rollout start reviews v2: each step is judged, at ${laterRate} calls a second`);
    const stepMs = (options.forMs ?? defaultForMs) * stepShare;
    const end = await release(umbra.admin, stepMs, { line: print }, () => isOver);
    if (end !== null) print(`\n  ${paint('bold', endText(end.state))}\n`);
  }
  if (options.forMs === null && !isOver) print('  it runs on: open the live page, or press Ctrl-C\n');
  await ended;
  await released.stop();
  await umbra.drain();
  const all = [callers, mirrored, released].map(({ counts }) => counts);
  const failed = all.reduce((sum, counts) => sum + counts.failed, 0);
  const calls = all.reduce((sum, counts) => sum + counts.calls, 0);
  print(`  clients made ${calls} calls; ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function callersOf(url: string, rate: number, { grpc }: DemoOptions): Callers {
  return new Callers(grpc ? new GrpcClient(url) : new HttpClient(url), rate);
}

/** The differences and the verdict so far, as the commands of these names print them. */
async function printJudgement(admin: string): Promise<void> {
  const ask = async (path: string): Promise<unknown> => {
    const asked = { method: 'GET', headers: {}, body: null, timeoutMs: adminTimeoutMs } as const;
    return JSON.parse((await sendToAdmin(admin, path, asked)).text);
  };
  const { mirrors } = (await ask('api/stats')) as Stats;
  const lines = [
    ...diffGroupLines(parseDiffs(await ask('api/diffs'))),
    ...mirrors.flatMap(({ verdict }) => (verdict === null ? [] : ['', ...verdictLines(verdict)])),
  ];
  print(`${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`);
}

/** Default ports that something else uses are replaced by free ones; ports that were asked for are not. */
async function startUmbra(
  options: DemoOptions,
  place: Place,
  ports: OriginPorts,
): Promise<{ umbra: Umbra; yaml: string }> {
  const choices = [
    [options.port ?? defaultPort, options.adminPort ?? defaultAdminPort],
    [options.port ?? 0, options.adminPort ?? 0],
  ];
  let failure: unknown;
  for (const [port, adminPort] of choices) {
    const yaml = demoConfig(port, adminPort, ports, place, options.grpc);
    await writeFile(place.config, yaml);
    const origin = originOf(place.config, []);
    const loaded = await loadInThread({ origin, change: null, nowMs: wallClockMs(), yaml: false });
    if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problem.message).join('\n'));
    const log = await openLog(new LogFilter(), {
      ...loaded.config.log,
      ...(options.logLevel === null ? {} : { level: options.logLevel }),
    });
    try {
      const umbra = await Umbra.start({
        loaded,
        cores: availableParallelism(),
        onLog: (message) => logMessage(log, message),
      });
      return { umbra, yaml };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function demoConfig(
  port: number,
  adminPort: number,
  ports: OriginPorts,
  place: Place,
  grpc: boolean,
): string {
  const listener = grpc ? '    engine: node\n    protocols: h2\n' : '';
  const protocol = grpc ? ', protocol: http2' : '';
  return `listen:
  - address: 127.0.0.1:${port}
${listener}admin: { address: 127.0.0.1:${adminPort} }
accessLog: { path: ${JSON.stringify(place.accessLog)}, format: envoy }
versions:
  v1: { endpoints: [ "http://127.0.0.1:${ports.v1}" ]${protocol} }
  v2: { endpoints: [ "http://127.0.0.1:${ports.v2}" ]${protocol} }
routes:
  - name: reviews
    match: { path: { prefix: /reviews } }
    primary: v1
`;
}

function introduce(umbra: Umbra, ports: OriginPorts, options: DemoOptions, place: Place): void {
  print(`
  ${paint('bold', 'umbra')} between clients and two versions of a small service, at ${options.rate} calls a second

      clients ──▶ umbra ──▶ v1   http://127.0.0.1:${ports.v1}   answers the client
                    └╌╌╌╌▶ v2   http://127.0.0.1:${ports.v2}   gets a copy; its answer is measured and thrown away

  the live page ${paint('bold', `${umbra.admin}/`)}
  try it        ${options.grpc ? grpcTry(umbra, place) : `curl -i ${umbra.listening[0]}/reviews/1`}
  the figures   curl ${umbra.admin}/api/stats
  the engine    ${engineNames(umbra.plan.listeners)}
  the config    ${place.config}
  stop          ${options.forMs === null ? 'Ctrl-C, and both versions are compared' : `by itself after ${options.forMs / 1000} s`}
`);
  if (options.open && umbra.admin !== null) openInBrowser(`${umbra.admin}/`);
}

function grpcTry(umbra: Umbra, place: Place): string {
  const method = `--grpc ${getMethod.slice(1)} --descriptors ${join(place.directory, 'reviews.binpb')}`;
  return `umbra load ${umbra.listening[0]} ${method} --data '{"id": 1}' --rate 20 --duration 5s`;
}

function chapter(number: string, title: string): void {
  print(`\n  ${paint('bold', `${number}  ${title}`)}\n`);
}

function labelled(line: string, ports: OriginPorts): string {
  return line.includes(` "127.0.0.1:${ports.v2}" `)
    ? `  ${paint('cyan', 'v2')} ${line}`
    : `  ${paint('yellow', 'v1')} ${line}`;
}

function read(umbra: Umbra): Figures {
  const reading = umbra.read();
  const version = (name: string): VersionSnapshot | null =>
    reading.versions.find((candidate) => candidate.name === name)?.counts ?? null;
  return { v1: version('v1'), v2: version('v2'), mirror: reading.mirrors[0]?.counts ?? null };
}

/** The part that belongs to the second chapter: v2 and the mirror did not exist before it. */
function since(before: Figures, after: Figures): Compared {
  const { v1, v2, mirror } = after;
  if (v1 === null || v2 === null || mirror === null) throw new Error('the mirror left no figures');
  const primary = before.v1 === null ? v1 : subtractVersion(v1, before.v1);
  return { primaryName: 'v1', shadowName: 'v2', primary, shadow: v2, mirror };
}

function endText(state: string): string {
  return state === 'released'
    ? 'v2 answers every request now; v1 may be switched off'
    : 'v2 was rolled back: v1 answers every request';
}

/** Resolves when every copy has ended, or after a while. */
async function untilRest(umbra: Umbra): Promise<void> {
  const endMs = performance.now() + restMs;
  while (performance.now() < endMs) {
    const counts = umbra.read().mirrors[0]?.counts;
    if (counts === undefined || counts.inFlight === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Does not keep an interrupted demo alive: while it lasts, umbra itself does. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
