/** `umbra replay`: plays recordings to a server. */
import { InvalidArgumentError } from 'commander';
import type { Pace } from '../../core/replay/pace.js';
import {
  defineCommand,
  flag,
  type OptionsOf,
  operandList,
  repeatedFlag,
  requiredFlag,
  toggle,
} from '../command-line/definition.js';
import { verdictFlags } from '../command-line/flags.js';
import { duration, filter, order, origin, positiveInteger, text } from '../command-line/values.js';

export const replay = defineCommand({
  name: 'replay',
  summary: 'replay recordings (WARC or GoReplay) to a server, and compare with the recorded responses',
  operands: { files: operandList('<files...>', 'recordings, replayed in this order') },
  flags: {
    to: requiredFlag('--to <url>', 'server, for example http://127.0.0.1:9081', origin),
    speed: flag(
      '--speed <n>',
      'multiple of the recorded speed, for example 2x, or max: as fast as responses arrive',
      speed,
    ),
    rate: flag('--rate <n>', 'requests per second, instead of the recorded times', positiveInteger),
    loop: toggle('--loop', 'start again at the end, until stopped'),
    forMs: flag('--for <duration>', 'stop after this time', duration),
    filters: repeatedFlag(
      '--filter <filter>',
      'only requests that match, for example method:GET or !path:/admin (repeatable)',
      filter,
    ),
    order: flag(
      '--order <key>',
      'send requests of one key in sequence: header:NAME, cookie:NAME or recorded',
      order,
    ),
    keepHost: toggle('--keep-host', "send the recorded Host instead of the server's"),
    connections: flag(
      '--connections <n>',
      'maximum connections; with --speed max also the requests in flight',
      positiveInteger,
      64,
      '64',
    ),
    inFlight: flag(
      '--in-flight <n>',
      'maximum requests in flight; requests due beyond it are dropped',
      positiveInteger,
      10_000,
      '10000',
    ),
    timeoutMs: flag('--timeout <duration>', 'timeout of each request', duration, 30_000, '30s'),
    output: flag('-o, --output <file>', 'write an HTML page instead of text', text),
    verdict: toggle('--verdict', 'set the exit code as umbra verdict does'),
    ...verdictFlags,
  },
  exclusive: ['speed', 'rate'],
  complete: ({ speed, rate, ...options }) => ({ ...options, pace: paceOf(speed, rate) }),
});

export type ReplayOptions = OptionsOf<typeof replay>;

function paceOf(speed: number | 'max' | null, perSecond: number | null): Pace {
  if (perSecond !== null) return { kind: 'rate', perSecond };
  return speed === 'max' ? { kind: 'max' } : { kind: 'recorded', speed: speed ?? 1 };
}

function speed(value: string): number | 'max' {
  if (value === 'max') return value;
  const times = /^(\d{1,6}(?:\.\d{1,3})?)x?$/.exec(value);
  if (times !== null && Number(times[1]) > 0) return Number(times[1]);
  throw new InvalidArgumentError('Expected a speed such as 2x, 0.5x or max.');
}
