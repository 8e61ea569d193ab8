/**
 * Scenario `http2`: clients of HTTP/2 through umbra, nginx and Envoy to origins of either protocol, taken in
 * turn; CPU time of a request, as ratios within a round, and what is held for connections and streams.
 */
import { h2load } from './h2load.js';
import { type Held, heldAims, heldText, http2Held } from './http2-held.js';
import { median } from './numbers.js';
import { isInstalled } from './placement.js';
import { cpuOf } from './proc.js';
import { http2Proxies, type OriginProtocol, startOrigin } from './targets/http2-proxies.js';
import type { RunningTarget } from './targets/target.js';
import type { Aim, Bench, Verdict } from './verdict.js';

interface Case {
  readonly name: string;
  readonly origin: OriginProtocol;
  readonly path: string;
  readonly bodyBytes: number;
  readonly grpc?: boolean;
  readonly streams: number;
  /** What a measurement of a second consists of: about what the slowest of the proxies serves in one. */
  readonly requestsPerSecond: number;
  /** The most that umbra may take, as a multiple of this peer's CPU. */
  readonly max: Readonly<Partial<Record<'nginx' | 'envoy', number>>>;
}

const small = { path: '', bodyBytes: 0, streams: 32, requestsPerSecond: 24_000 };
const upload = { path: 'upload', bodyBytes: 65_536, streams: 4, requestsPerSecond: 10_000 };
const download = { path: 'megabyte', bodyBytes: 0, streams: 1, requestsPerSecond: 500 };
const unary = { path: 'bench.Unary/Get', bodyBytes: 0, grpc: true, streams: 4, requestsPerSecond: 10_000 };
const cases: readonly Case[] = [
  { name: 'h2 to h2', origin: 'http2', ...small, max: { nginx: 0.55, envoy: 0.3 } },
  { name: 'h2 to h1', origin: 'http1', ...small, max: { nginx: 0.85, envoy: 0.5 } },
  { name: 'gRPC unary, mirrored', origin: 'http2', ...unary, max: { envoy: 0.25 } },
  { name: 'POST of 64 KiB, h2 to h2', origin: 'http2', ...upload, max: { nginx: 1 } },
  { name: 'POST of 64 KiB, h2 to h1', origin: 'http1', ...upload, max: { nginx: 1 } },
  { name: 'GET of 1 MB, h2 to h2', origin: 'http2', ...download, max: { nginx: 0.7 } },
  { name: 'GET of 1 MB, h2 to h1', origin: 'http1', ...download, max: { nginx: 0.7 } },
];
const connections = 10;
/** V8 has compiled by then what pieces of bodies run through. */
const warmSeconds = 2;

interface Round {
  readonly case: string;
  readonly target: string;
  readonly cpuUs: number;
  readonly requests: number;
  readonly errors: number;
  /** What the proxy counted of copies that were not made; null for nothing. */
  readonly dropped: string | null;
}

export async function http2Peers(bench: Bench): Promise<Verdict> {
  for (const command of ['h2load', 'nginx'])
    if (!isInstalled(command)) throw new Error(`${command} is not installed`);
  for (const { name, isInstalled } of http2Proxies)
    if (!isInstalled) console.log(`${name} is not installed, and is left out`);
  const measured: (Round | Held)[] = [];
  const aims: Aim[] = [];
  for (const one of cases) {
    const rounds = await run(one, bench);
    measured.push(...rounds);
    aims.push(...judge(one, rounds));
  }
  const held: Held[] = [];
  for (const proxy of http2Proxies.filter(({ isInstalled }) => isInstalled)) {
    const one = await http2Held(proxy, bench.placement);
    console.log(heldText(one));
    held.push(one);
  }
  measured.push(...held);
  aims.push(...heldAims(held));
  return { aims, measured };
}

async function run(one: Case, { options, placement }: Bench): Promise<Round[]> {
  const isMirrored = one.grpc === true;
  const proxies = http2Proxies.filter(
    ({ isInstalled, mirrorsGrpc }) => isInstalled && (mirrorsGrpc || !isMirrored),
  );
  const origin = await startOrigin(one.origin, placement);
  const running: { name: string; target: RunningTarget }[] = [];
  const rounds: Round[] = [];
  try {
    const port = Number(new URL(origin.url).port);
    const setup = { originPort: port, origin: one.origin, isMirrored };
    for (const { name, start } of proxies) running.push({ name, target: await start(setup, placement) });
    const load = (target: RunningTarget, seconds: number) =>
      h2load(
        `${target.url}${one.path}`,
        { ...one, connections, requests: one.requestsPerSecond * seconds },
        placement.rest,
      );
    for (const { target } of running) await load(target, warmSeconds);
    for (let round = 0; round < options.rounds; round++) {
      for (const { name, target } of running) {
        const before = cpuOf(target.pids()).cpuUs;
        const { requests, errors } = await load(target, options.seconds);
        const cpuUs = (cpuOf(target.pids()).cpuUs - before) / requests;
        const dropped = (await target.dropped?.()) ?? null;
        rounds.push({ case: one.name, target: name, cpuUs, requests, errors, dropped });
        const shown = `${name.padEnd(6)} ${cpuUs.toFixed(2).padStart(8)} us CPU a request`;
        console.log(
          `${one.name.padEnd(26)} ${shown}, ${requests} requests, ${errors} errors${dropped === null ? '' : `, ${dropped}`}`,
        );
      }
    }
  } finally {
    for (const { target } of running) await target.stop();
    await origin.stop();
  }
  return rounds;
}

function judge({ name, max }: Case, rounds: readonly Round[]): Aim[] {
  return Object.entries(max).map(([peer, most]): Aim => {
    const title = `${name}, CPU a request <= ${most} x ${peer}`;
    const [ours, theirs] = ['umbra', peer].map((target) => rounds.filter((one) => one.target === target));
    if (theirs!.length === 0) return { name: title, found: `${peer} is not installed`, isMet: null };
    const errors = [...ours!, ...theirs!].reduce((total, one) => total + one.errors, 0);
    if (errors > 0) return { name: title, found: `${errors} requests failed`, isMet: null };
    const dropped = ours!.find((round) => round.dropped !== null)?.dropped;
    if (dropped !== undefined) return { name: title, found: `copies: ${dropped}`, isMet: null };
    const ratios = ours!.map(({ cpuUs }, round) => cpuUs / theirs![round]!.cpuUs);
    const found = median(ratios);
    return {
      name: title,
      found: `${found.toFixed(2)} x (${Math.min(...ratios).toFixed(2)}..${Math.max(...ratios).toFixed(2)} by round)`,
      isMet: found <= most,
    };
  });
}
