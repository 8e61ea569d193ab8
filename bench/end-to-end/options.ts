/** The command line of the end-to-end benches. */
import { parseArgs } from 'node:util';

export const scenarioNames = [
  'peers',
  'compare',
  'against',
  'comparing',
  'streaming',
  'where',
  'scale',
  'isolation',
  'watched',
  'memory',
  'idle',
  'bulk',
  'connections',
  'stalled',
  'copies',
  'fresh',
  'http2',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface BenchOptions {
  readonly scenarios: readonly ScenarioName[];
  /** Length of one measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  /** Target names; null for all. */
  readonly only: readonly string[] | null;
  /** GETs a second in `isolation`; null: a third of what the slower side reaches. */
  readonly rate: number | null;
  /** The other revision in `against`; null: none was named. */
  readonly revision: string | null;
  readonly jsonPath: string | null;
  /** Where `peers` draws its cases; null: nowhere. */
  readonly plotsPath: string | null;
  readonly pin: boolean;
}

export const helpText = `usage: node dist/bench/end-to-end/main.js [SCENARIO ...] [options]

scenarios (default: peers)
  peers       umbra on both engines against what is installed of nginx, HAProxy, Envoy and Traefik, in eight cases
  compare     umbra against nginx, with and without mirroring, taken in turn
  against     this tree against another revision of it (--compare REV), in short windows in turn; not part of all
  comparing   what it costs to compare responses, in every degree, taken in turn
  streaming   what it costs the proxy thread to publish every request to NATS JetStream, against a plain mirror, in turn
  where       where the CPU time of a request goes, by part of umbra, with a bare splice beside it
  scale       throughput and CPU time a request with 1 to as many proxy threads as there are CPUs
  isolation   what a client feels at a fixed rate with the shadow in every state, through umbra and through nginx
  watched     what a client feels while ten live pages and ten scrapers read the admin server
  memory      resident memory after full speed, after a 1 GB upload and after a 1 GB download
  idle        CPU share of an umbra that nobody calls
  bulk        throughput of a 1 GB download and a 1 GB upload, umbra against nginx, taken in turn
  connections memory of 5,000 idle connections, and what a new client feels beside them
  stalled     what umbra holds for clients that stop reading a 1 GB response
  copies      what a copy costs the proxy thread, and one that is refused, in short windows in turn
  fresh       what a connection of its own costs a request, and 1,000 of them at once, umbra beside nginx
  http2       clients of HTTP/2 through umbra, nginx and Envoy (where it is installed) to origins of either protocol, in turn
  all         all of them but against

options
  --seconds N       length of one measurement (default 3)
  --rounds N        times that each target is measured (default 3; isolation judges a p99 from 6 on)
  --connections N   connections of the load generator (default 64)
  --only A,B        targets of compare: direct, umbra, umbra-node, nginx, umbra-mirror, umbra-node-mirror, nginx-mirror;
                      umbra is on the uws engine, umbra-node on the node engine; of against those of umbra, and either
                      engine with -tls or -fresh (connections of their own); of isolation: umbra, umbra-nice (with
                      threads.nice), nginx
  --rate N          GETs a second in isolation (default: a third of what the slower side reaches)
  --compare REV     what git calls the revision to compare with; with names of micro benches, these are compared
  --json FILE       writes every single measurement to FILE
  --plots DIR       draws the cases of peers as SVG files
  --no-pin          lets the kernel choose CPUs
  --help
`;

/** Throws an Error of one line on bad usage; null asks for the help text. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      only: { type: 'string' },
      rate: { type: 'string' },
      compare: { type: 'string' },
      json: { type: 'string' },
      plots: { type: 'string' },
      'no-pin': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return {
    scenarios: scenarios(positionals, values.compare !== undefined),
    seconds: positive('--seconds', values.seconds),
    rounds: positive('--rounds', values.rounds),
    connections: positive('--connections', values.connections),
    only: values.only?.split(',') ?? null,
    rate: values.rate === undefined ? null : positive('--rate', values.rate),
    revision: values.compare ?? null,
    jsonPath: values.json ?? null,
    plotsPath: values.plots ?? null,
    pin: !values['no-pin'],
  };
}

function scenarios(names: readonly string[], compares: boolean): readonly ScenarioName[] {
  if (names.length === 0) return [compares ? 'against' : 'peers'];
  if (names.includes('all')) return scenarioNames.filter((name) => name !== 'against');
  return names.map((name) => {
    const known = scenarioNames.find((one) => one === name);
    if (known === undefined)
      throw new Error(`no scenario is called ${name}: ${scenarioNames.join(', ')}, all`);
    return known;
  });
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${option} takes a whole number from 1: ${text}`);
  return value;
}
