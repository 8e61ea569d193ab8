/**
 * `node dist/bench/end-to-end/rollout.js [--v2 equal,errors,writes,slow,killed] [--rate 1000]
 * [--steps STEPS] [--watch 30s] [--requests 500] [--engine auto]` releases versions of a real service under
 * load through a whole umbra, and prints what its users felt. docs/methods-rollout.md has the figures.
 *
 *   equal   answers as v1 does
 *   errors  fails 1 % of all requests
 *   writes  fails 3.3 % of the POSTs that it answers itself (1 % of all requests), and no copies
 *   slow    takes 20 % longer
 *   killed  is killed with SIGKILL while it answers 25 %
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stats } from '../../core/report/stats.js';
import { toolOptions } from '../../test/support/tool-options.js';
import { beside, Child, nextMessage } from './child.js';
import type { ClientsReport } from './rollout-clients.js';
import { tableText } from './table.js';

const { values } = toolOptions('node dist/bench/end-to-end/rollout.js', {
  v2: { type: 'string', default: 'equal,errors,writes,slow,killed' },
  rate: { type: 'string', default: '1000' },
  steps: { type: 'string', default: 'mirror:40s-4m,1%:40s-4m,5%:40s-4m,25%:40s-4m,50%:40s-4m,100%' },
  watch: { type: 'string', default: '30s' },
  requests: { type: 'string', default: '300' },
  engine: { type: 'string', default: 'auto' },
});

interface Kind {
  readonly slower: number;
  readonly errors: number;
  readonly failing: 'all' | 'unsafe';
}

const kinds: Readonly<Record<string, Kind>> = {
  equal: { slower: 1, errors: 0, failing: 'all' },
  errors: { slower: 1, errors: 0.01, failing: 'all' },
  writes: { slower: 1, errors: 0.033, failing: 'unsafe' },
  slow: { slower: 1.2, errors: 0, failing: 'all' },
  killed: { slower: 1, errors: 0, failing: 'all' },
};

const users = 5000;
const lookMs = 100;
const settledMs = 3000;
const killedAtPercent = 25;
const killedAfterMs = 5000;
const readyMs = 60_000;
const readyLine = /^umbra ready listen=(\S+) admin=(\S+)/;

interface Seen {
  readonly state: string;
  readonly percent: number;
  readonly reason: string;
  readonly history: readonly { readonly at: string; readonly state: string; readonly step: number }[];
}

async function origin(name: string, kind: Kind): Promise<{ child: Child; port: number }> {
  const words = [beside('rollout-origin.js', import.meta.url), name, kind.slower, kind.errors, kind.failing];
  const child = new Child(process.execPath, words.map(String), { cpus: null, ipc: true });
  return { child, port: await nextMessage<number>(child) };
}

function configOf(v1: number, v2: number): object {
  return {
    listen: [{ address: '127.0.0.1:0', engine: values.engine }],
    admin: { address: '127.0.0.1:0' },
    threads: { proxy: 1, shadow: 1 },
    versions: { v1: `http://127.0.0.1:${v1}`, v2: `http://127.0.0.1:${v2}` },
    routes: [
      {
        name: 'reviews',
        primary: 'v1',
        split: 'cookie:id',
        // Each version names itself in a field, by which clients know who answered.
        mirrors: [{ to: 'v2', enabled: false, compare: { ignore: ['header:x-version'] } }],
      },
    ],
  };
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function seen(admin: string): Promise<Seen> {
  return (await (await fetch(`${admin}/api/rollouts/reviews`)).json()) as Seen;
}

async function reportOf(clients: Child): Promise<ClientsReport> {
  const answer = nextMessage<ClientsReport>(clients);
  clients.process.send('report');
  return answer;
}

/** What failed or was not sent, by reason: the rest of a report that says that a version is worse. */
function lossesOf({ versions, mirrors }: Stats): string {
  const listed = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${count} ${reason}`)
      .join(', ') || 'none';
  const lines = Object.entries(versions).flatMap(([version, roles]) =>
    (['primary', 'shadow'] as const).map((role) => {
      const { failures = {}, endpointFailures = {} } = roles[role] ?? {};
      return `  ${version} as ${role}: failures ${listed(failures)}; of endpoints ${listed(endpointFailures)}`;
    }),
  );
  const copies = mirrors.map(
    ({ to, dropped, failed }) => `  copies to ${to}: dropped ${listed(dropped)}; failed ${listed(failed)}`,
  );
  return [...lines, ...copies].join('\n');
}

async function release(name: string): Promise<string[]> {
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`no v2 is called ${name}: ${Object.keys(kinds).join(', ')}`);
  const directory = mkdtempSync(join(tmpdir(), 'umbra-rollout-'));
  const file = join(directory, 'umbra.yaml');
  const v1 = await origin('v1', kinds.equal);
  const v2 = await origin('v2', kind);
  writeFileSync(file, JSON.stringify(configOf(v1.port, v2.port)));
  const command = beside('../../../bin/umbra.js', import.meta.url);
  const umbra = new Child(process.execPath, [command, 'run', file], { cpus: null });
  const [, listen, place] = await umbra.line(readyLine, readyMs);
  const admin = place.replace(/\/$/, '');
  const words = [beside('rollout-clients.js', import.meta.url), new URL(listen).port, values.rate, users];
  const clients = new Child(process.execPath, words.map(String), { cpus: null, ipc: true });
  try {
    await rest(settledMs);
    const before = await reportOf(clients);
    const { steps, watch, requests } = values;
    const answer = await fetch(`${admin}/api/rollouts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ route: 'reviews', to: 'v2', steps, watch, requests: Number(requests) }),
    });
    if (answer.status !== 201) throw new Error(await answer.text());
    let diedMs = 0;
    let now = await seen(admin);
    for (; !['released', 'rolled-back', 'held'].includes(now.state); now = await seen(admin)) {
      if (name === 'killed' && diedMs === 0 && now.percent === killedAtPercent) {
        await rest(killedAfterMs);
        diedMs = Date.now();
        v2.child.process.kill('SIGKILL');
      }
      await rest(lookMs);
    }
    const last = now.history[now.history.length - 1];
    const tookMs = Date.parse(last.at) - (diedMs === 0 ? Date.parse(now.history[0].at) : diedMs);
    await rest(settledMs);
    const after = await reportOf(clients);
    const asked = after.asked - before.asked;
    console.log(`${name}: ${now.state}, ${now.reason}`);
    console.log(lossesOf((await (await fetch(`${admin}/api/stats`)).json()) as Stats));
    return [
      name,
      now.state,
      `${last.step}`,
      `${(tookMs / 1000).toFixed(1)} s`,
      String(asked),
      `${((100 * after.onPurpose) / asked).toFixed(4)} %`,
      String(after.failedGets - before.failedGets),
      String(after.failedPosts - before.failedPosts),
      String(after.wentBack),
    ];
  } finally {
    for (const child of [clients, umbra, v1.child, v2.child]) await child.stop();
    rmSync(directory, { recursive: true });
  }
}

const rows: string[][] = [];
for (const name of values.v2.split(',')) rows.push(await release(name));
const heads = [
  'v2',
  'ended',
  'step',
  'after',
  'requests',
  'saw an error of v2',
  'GETs lost',
  'POSTs lost',
  'users back',
];
console.log(`\n${tableText(heads, rows)}`);
process.exit();
