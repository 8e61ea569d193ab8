/** The table of `compare` and its aims, from measurements. Pure. */
import type { LoadResult } from './generator.js';
import { median, spread } from './numbers.js';
import { ratioAim } from './ratio-aim.js';
import { count, fixed, mebibytes, ms, percent, tableText } from './table.js';
import type { Aim } from './verdict.js';

/** One target in one round. NaN where there is nothing to measure. */
export interface Measurement extends LoadResult {
  readonly target: string;
  readonly mirrors: boolean;
  /** CPU time of all processes and threads of the proxy. */
  readonly cpuUsPerRequest: number;
  readonly threads: readonly {
    readonly name: string;
    readonly tid: number;
    readonly cpuUsPerRequest: number;
  }[];
  /** Since the proxy started. */
  readonly peakBytes: number;
  /** Share of the time in which somebody else used the proxy's CPU. */
  readonly othersShare: number;
  /** Copies that reached the shadow, per request of the clients. */
  readonly copiesShare: number;
  /** A run with fewer is not valid. */
  readonly copiesMin: number;
}

const plainCpuRatioMax = 1.5;
const mirrorCpuRatioMax = 0.6;
const nodeCpuRatioMax = 1.05;
const nodeNginxCpuRatioMax = 1.1;
/** A proxy that drops copies does less work: below this share its CPU time says nothing about mirroring. */
export const allCopiesMin = 0.99;
/**
 * Above it, rates and latencies are the neighbours' as much as the proxy's; CPU time a request suffers less.
 */
const othersShareMax = 0.1;
/** Threads that spent less are left out of the list. */
const threadCpuUsMin = 0.1;

const heads = [
  'target',
  'requests/s',
  'least..most',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'errors',
  'CPU us/req',
  'least..most',
  'peak MiB',
  'others',
  'copies',
];

export function comparisonText(measured: readonly Measurement[]): string {
  const names = namesOf(measured);
  const rows = names.map((name) => row(name, of(measured, name)));
  const threads = names.flatMap((name) => threadLines(name, of(measured, name)));
  const parts = [tableText(heads, rows)];
  if (threads.length > 0) parts.push(`CPU us per request by thread, last round:\n${threads.join('\n')}`);
  const disturbed = measured.filter((one) => one.othersShare > othersShareMax).length;
  if (disturbed > 0) {
    parts.push(
      `DISTURBED: in ${disturbed} of ${measured.length} measurements, other processes used more than ${percent(othersShareMax)} of the proxy's CPU`,
    );
  }
  return parts.join('\n\n');
}

export function comparisonAims(measured: readonly Measurement[]): Aim[] {
  return [
    aim('without mirror', of(measured, 'umbra'), of(measured, 'nginx'), plainCpuRatioMax, 'nginx'),
    aim(
      'with mirror',
      of(measured, 'umbra-mirror'),
      of(measured, 'nginx-mirror'),
      mirrorCpuRatioMax,
      'nginx',
    ),
    ...nodeAims(measured),
  ];
}

/** The node engine against the uws engine and against nginx; only where it took part. */
function nodeAims(measured: readonly Measurement[]): Aim[] {
  const plain = of(measured, 'umbra-node');
  const mirror = of(measured, 'umbra-node-mirror');
  const aims: Aim[] = [];
  if (plain.length > 0) {
    aims.push(
      aim('node engine without mirror', plain, of(measured, 'umbra'), nodeCpuRatioMax, 'uws'),
      aim('node engine without mirror', plain, of(measured, 'nginx'), nodeNginxCpuRatioMax, 'nginx'),
    );
  }
  if (mirror.length > 0) {
    aims.push(aim('node engine with mirror', mirror, of(measured, 'umbra-mirror'), nodeCpuRatioMax, 'uws'));
  }
  return aims;
}

function aim(
  what: string,
  ours: readonly Measurement[],
  rival: readonly Measurement[],
  max: number,
  rivalName: string,
): Aim {
  const rate = median(ours.map((one, round) => rps(one) / rps(rival[round] ?? one)));
  const name = `${what}, CPU a request <= ${max} x ${rivalName}`;
  return ratioAim({ name, ours, rival, max, also: `, at ${fixed(rate, 2)} x its requests/s` });
}

/** Null for a valid measurement. */
export function whyInvalid({ target, errors, requests, copiesShare, copiesMin }: Measurement): string | null {
  if (errors > 0) return `${target} had ${errors} errors in one round`;
  if (requests === 0) return `${target} answered nothing in one round`;
  if (copiesShare < copiesMin)
    return `${target} sent only ${percent(copiesShare)} of the copies in one round`;
  return null;
}

function row(name: string, rounds: readonly Measurement[]): string[] {
  const rate = spread(rounds.map(rps));
  const cpu = spread(rounds.map((one) => one.cpuUsPerRequest));
  const errors = rounds.reduce((sum, one) => sum + one.errors, 0);
  return [
    rounds.some((one) => whyInvalid(one) !== null) ? `${name} INVALID` : name,
    count(rate.median),
    `${count(rate.min)}..${count(rate.max)}`,
    ms(median(rounds.map((one) => one.p50Us))),
    ms(median(rounds.map((one) => one.p99Us))),
    ms(median(rounds.map((one) => one.p999Us))),
    count(errors),
    fixed(cpu.median, 1),
    `${fixed(cpu.min, 1)}..${fixed(cpu.max, 1)}`,
    mebibytes(Math.max(...rounds.map((one) => one.peakBytes))),
    percent(median(rounds.map((one) => one.othersShare))),
    percent(rounds[0].mirrors ? median(rounds.map((one) => one.copiesShare)) : Number.NaN),
  ];
}

function threadLines(name: string, rounds: readonly Measurement[]): string[] {
  return rounds[rounds.length - 1].threads
    .filter((thread) => thread.cpuUsPerRequest >= threadCpuUsMin)
    .map(
      (thread) =>
        `  ${name.padEnd(14)} ${fixed(thread.cpuUsPerRequest, 1).padStart(6)}  ${thread.name} (${thread.tid})`,
    );
}

function rps({ requests, seconds }: Measurement): number {
  return requests / seconds;
}

function namesOf(measured: readonly Measurement[]): string[] {
  return [...new Set(measured.map((one) => one.target))];
}

function of(measured: readonly Measurement[], name: string): Measurement[] {
  return measured.filter((one) => one.target === name);
}
