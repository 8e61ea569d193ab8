/** `umbra shadow`: takes the requests of a stream to a version on this side of it. */
import { type Command, InvalidArgumentError } from 'commander';
import {
  capital,
  duration,
  fleetAddress,
  origin,
  positiveInteger,
  streamAddress,
  type VerdictBoundFlags,
  withVerdictBounds,
} from './command-values.js';
import { hostName } from './host-name.js';
import { parseName } from './names.js';
import type { NatsBucket, NatsSubject } from './nats-address.js';
import { Refusal } from './units.js';

/** Where requests go: a server, or a version of a configuration. */
export type ShadowTarget =
  | { readonly url: string; readonly connections: number }
  | { readonly version: string; readonly config: string };

export interface ShadowOptions {
  from: NatsSubject;
  to: ShadowTarget;
  /** Processes of one group share the messages. */
  group: string;
  /** The Host that the client sent, not the server's. */
  keepHost: boolean;
  inFlight: number;
  timeoutMs: number;
  /** How long a message may be with one process before another gets it. */
  ackWaitMs: number;
  /** How often a message is delivered at most. */
  deliveries: number;
  /** Where figures go; null: nowhere. */
  fleet: NatsBucket | null;
  /** In the fleet. */
  name: string;
  /** Null: until it is stopped. */
  forMs: number | null;
  /** Ends when the group has nothing to take any more. */
  untilEmpty: boolean;
  /** Path of the page; null is text on standard output. */
  output: string | null;
  /** The exit code is the verdict's. */
  verdict: boolean;
  /** As in `VerdictOptions`. */
  p99Delta: number;
  errorDelta: number;
  diff: number;
  samplesMin: number;
}

interface ShadowFlags extends VerdictBoundFlags {
  from: NatsSubject;
  to: string;
  config?: string;
  group?: string;
  keepHost: boolean;
  connections: number;
  inFlight: number;
  timeout: number;
  ackWait?: number;
  deliveries: number;
  /** True: not given; false: `--no-fleet`. */
  fleet: NatsBucket | boolean;
  name?: string;
  for?: number;
  untilEmpty: boolean;
  output?: string;
  verdict: boolean;
}

const usualBucket = 'umbra';
/** Between the end of an exchange and its acknowledgement, and for a redelivery that is late. */
const ackSlackMs = 10_000;
/** JetStream takes names for consumers as it does for buckets. */
const groupName = /^[A-Za-z0-9_-]{1,128}$/;

export function addShadow(
  program: Command,
  run: (options: ShadowOptions) => Promise<number>,
  exit: (code: number) => void,
): void {
  const command = program
    .command('shadow')
    .description(
      'take the requests that umbra publishes to a stream of NATS JetStream to a version, measure it, and compare with the primary',
    )
    .requiredOption(
      '--from <url>',
      'the stream, as the mirror has it: nats://host:4222/umbra.reviews',
      streamAddress,
    )
    .requiredOption(
      '--to <url|version>',
      'where requests go: http://127.0.0.1:9081, or with -c the name of a version',
    )
    .option('-c, --config <file>', 'the configuration that has the version')
    .option(
      '--group <name>',
      'processes of one group share the messages (default: the name of the version, or shadow)',
      group,
    )
    .option('--in-flight <n>', 'most requests under way; no more messages are taken', positiveInteger, 256)
    .option('--connections <n>', 'most connections to a server that is given as a URL', positiveInteger, 64)
    .option('--timeout <duration>', 'for each exchange', duration, 5000)
    .option(
      '--ack-wait <duration>',
      'how long a message may be with a process before another gets it (default: 10s more than --timeout)',
      duration,
    )
    .option('--deliveries <n>', 'a message is delivered so often at most', positiveInteger, 5)
    .option('--keep-host', "send the client's Host instead of the address", false)
    .option(
      '--fleet <url>',
      'the bucket that figures go to, for umbra report, verdict and top --fleet (default: umbra on the server of --from)',
      fleetAddress,
    )
    .option('--no-fleet', 'keep the figures here')
    .option('--name <name>', "this process's name in the fleet (default: the host's)", name)
    .option('--for <duration>', 'stop after this time', duration)
    .option('--until-empty', 'stop when the group has nothing to take any more', false)
    .option('-o, --output <file>', 'write a page instead of text at the end')
    .option('--verdict', 'exit as umbra verdict does', false);
  withVerdictBounds(command).action(async (flags: ShadowFlags) => {
    const to = targetOf(command, flags);
    const ackWaitMs = flags.ackWait ?? flags.timeout + ackSlackMs;
    if (ackWaitMs <= flags.timeout) command.error('error: --ack-wait must be longer than --timeout');
    exit(
      await run({
        from: flags.from,
        to,
        group: flags.group ?? ('version' in to ? to.version.replaceAll('.', '-') : 'shadow'),
        keepHost: flags.keepHost,
        inFlight: flags.inFlight,
        timeoutMs: flags.timeout,
        ackWaitMs,
        deliveries: flags.deliveries,
        fleet: fleetOf(flags),
        name: flags.name ?? hostName(),
        forMs: flags.for ?? null,
        untilEmpty: flags.untilEmpty,
        output: flags.output ?? null,
        verdict: flags.verdict,
        p99Delta: flags.maxP99Delta,
        errorDelta: flags.maxErrorDelta,
        diff: flags.maxDiff,
        samplesMin: flags.minSamples,
      }),
    );
  });
}

function targetOf(command: Command, { to, config, connections }: ShadowFlags): ShadowTarget {
  if (parseName(to) instanceof Refusal) {
    if (config !== undefined) command.error('error: -c is for --to with the name of a version');
    try {
      return { url: origin(to), connections };
    } catch (error) {
      command.error(
        `error: option '--to <url|version>' argument '${to}' is invalid. ${(error as Error).message}`,
      );
    }
  }
  if (config === undefined)
    command.error(`error: --to ${to} names a version: say with -c which configuration has it`);
  return { version: to, config: config! };
}

function fleetOf({ fleet, from }: ShadowFlags): NatsBucket | null {
  if (fleet === false) return null;
  return fleet === true || fleet === undefined ? { nats: from.nats, bucket: usualBucket } : fleet;
}

function group(value: string): string {
  if (groupName.test(value)) return value;
  throw new InvalidArgumentError('Expected a name of letters, digits, - and _.');
}

function name(value: string): string {
  const parsed = parseName(value);
  if (parsed instanceof Refusal) throw new InvalidArgumentError(`${capital(parsed.reason)}.`);
  return parsed;
}
