/**
 * Scenario `isolation`: the law that nothing a shadow does may reach a client, as figures. One umbra, calls at a fixed rate
 * that leaves it two thirds of its time, in turn without a mirror and with a shadow in every state.
 */
import { beside, Child } from './child.js';
import { median, spread } from './numbers.js';
import { type OriginMode, startOrigins } from './origins.js';
import type { PacedResult } from './paced.js';
import { count, ms, tableText } from './table.js';
import { startUmbra } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

interface State {
  readonly name: string;
  /** `/off` is a route without a mirror. */
  readonly path: string;
  readonly shadow: OriginMode;
}

interface Measured extends PacedResult {
  readonly state: string;
  /** Requests that reached the shadow. */
  readonly copies: number;
}

const off = 'mirror off';
const states: readonly State[] = [
  { name: off, path: 'off', shadow: 'answering' },
  { name: 'healthy', path: 'on', shadow: 'answering' },
  { name: 'refusing', path: 'on', shadow: 'refusing' },
  { name: 'hanging', path: 'on', shadow: 'hanging' },
  { name: 'resetting', path: 'on', shadow: 'resetting' },
];
const routes = `  - { name: off, match: { path: { exact: /off } }, primary: v1 }
  - { name: on, primary: v1, mirrors: [ { to: v2, percent: 100 } ] }`;

/** A generator that was later than this was itself kept from its CPU, and so were the origins beside it. */
const lateUsMax = 20_000;
const saturationShare = 1 / 3;
const warmUpSeconds = 3;
const generatorPath = beside('paced.js', import.meta.url);

export async function isolation({ options, placement, generator }: Bench): Promise<Verdict> {
  const origins = await startOrigins(placement.rest);
  const measured: Measured[] = [];
  try {
    const ports = { primaryPort: origins.primary.port, shadowPort: origins.shadow.port };
    const umbra = await startUmbra({ proxyThreads: 1, routes, ...ports }, placement.proxy);
    try {
      await generator.run(`${umbra.url}on`, options.connections, warmUpSeconds);
      const saturated = await generator.run(`${umbra.url}off`, options.connections, warmUpSeconds);
      const rate = options.rate ?? Math.round((saturated.requests / saturated.seconds) * saturationShare);
      console.log(
        `${count(rate)} requests/s, ${count(saturated.requests / saturated.seconds)} at saturation without a mirror\n`,
      );
      for (let round = 1; round <= options.rounds; round++) {
        for (const state of states) {
          await origins.shadow.turn(state.shadow);
          const copiesBefore = await origins.shadow.requests();
          const result = await paced(`${umbra.url}${state.path}`, rate, options, placement.rest);
          const copies = (await origins.shadow.requests()) - copiesBefore;
          measured.push({ state: state.name, copies, ...result });
        }
      }
    } finally {
      await umbra.stop();
    }
  } finally {
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
  console.log(isolationText(measured));
  return { aims: isolationAims(measured), measured };
}

async function paced(
  url: string,
  rate: number,
  { connections, seconds }: Bench['options'],
  cpus: string | null,
): Promise<PacedResult> {
  const args = [generatorPath, url, String(rate), String(connections), String(seconds)];
  return JSON.parse(await new Child(process.execPath, args, { cpus }).output()) as PacedResult;
}

function isolationText(measured: readonly Measured[]): string {
  const heads = [
    'shadow',
    'p50 ms',
    'x off',
    'p99 ms',
    'least..most',
    'x off',
    'p99.9 ms',
    'failed',
    'copies',
    'generator late ms',
  ];
  const base = of(measured, off);
  const rows = states.map(({ name }) => {
    const rounds = of(measured, name);
    const p99 = spread(rounds.map((one) => one.p99Us));
    return [
      name,
      ms(median(rounds.map((one) => one.p50Us))),
      ratio(rounds, base, (one) => one.p50Us).toFixed(2),
      ms(p99.median),
      `${ms(p99.min)}..${ms(p99.max)}`,
      ratio(rounds, base, (one) => one.p99Us).toFixed(2),
      ms(median(rounds.map((one) => one.p999Us))),
      count(sum(rounds, (one) => one.errors)),
      count(sum(rounds, (one) => one.copies)),
      ms(Math.max(...rounds.map((one) => one.lateUs))),
    ];
  });
  const disturbed = measured.filter((one) => one.lateUs > lateUsMax).length;
  const note = `\n\nDISTURBED: in ${disturbed} of ${measured.length} measurements the generator was more than ${ms(lateUsMax)} ms behind its schedule`;
  return tableText(heads, rows) + (disturbed > 0 ? note : '');
}

function isolationAims(measured: readonly Measured[]): Aim[] {
  const failed = sum(measured, (one) => one.errors);
  const unsent = sum(measured, (one) => one.unsent);
  return [
    { name: 'no failed client request in any state', found: `${failed} failed`, isMet: failed === 0 },
    unsent === 0
      ? { name: 'the rate was kept', found: 'every request was sent', isMet: true }
      : {
          name: 'the rate was kept',
          found: `${unsent} requests never got a connection: choose a lower --rate`,
          isMet: null,
        },
  ];
}

function ratio(
  ours: readonly Measured[],
  base: readonly Measured[],
  figure: (one: Measured) => number,
): number {
  return median(ours.map(figure)) / median(base.map(figure));
}

function sum(rounds: readonly Measured[], figure: (one: Measured) => number): number {
  return rounds.reduce((total, one) => total + figure(one), 0);
}

function of(measured: readonly Measured[], state: string): Measured[] {
  return measured.filter((one) => one.state === state);
}
