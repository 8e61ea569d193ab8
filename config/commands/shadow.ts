/** `umbra shadow`: sends the requests of a stream to a version on this machine. */
import { InvalidArgumentError } from 'commander';
import {
  defineCommand,
  flag,
  type Misuse,
  type OptionsOf,
  orEnvironment,
  requiredFlag,
  toggle,
} from '../command-line/definition.js';
import { checkCompareFlags, compareFlags, verdictFlags } from '../command-line/flags.js';
import {
  duration,
  fleetAddress,
  listenAddress,
  name,
  origin,
  positiveInteger,
  streamAddress,
  text,
} from '../command-line/values.js';
import { hostName } from '../host-name.js';
import { parseName } from '../names.js';
import { Refusal } from '../units.js';

/** The target of requests: a server, or a version of a configuration. */
export type ShadowTarget =
  | { readonly url: string; readonly connections: number }
  | { readonly version: string };

const usualBucket = 'umbra';
/** Added to the timeout, for the acknowledgement, and so that redelivery is not early. */
const ackSlackMs = 10_000;
const targetTerm = '--to <url|version>';

export const shadow = defineCommand({
  name: 'shadow',
  summary:
    'send the requests of a NATS JetStream stream to a version, measure it, and compare with the primary',
  flags: {
    from: requiredFlag(
      '--from <url>',
      'stream that the mirror publishes to, for example nats://host:4222/umbra.reviews',
      streamAddress,
    ),
    to: requiredFlag(
      targetTerm,
      'server, for example http://127.0.0.1:9081, or with -c the name of a version',
      text,
    ),
    ...compareFlags,
    config: flag(
      '-c, --config <file>',
      'configuration that defines the version, or has the rules of comparison and of redaction',
      text,
    ),
    group: flag(
      '--group <name>',
      'processes of one group share the messages (default: name of the version, or shadow)',
      group,
    ),
    inFlight: flag('--in-flight <n>', 'maximum requests in flight', positiveInteger, 256, '256'),
    connections: flag(
      '--connections <n>',
      'maximum connections to a server that is given as a URL',
      positiveInteger,
      64,
      '64',
    ),
    timeoutMs: flag('--timeout <duration>', 'timeout of each request', duration, 5000, '5s'),
    ackWait: flag(
      '--ack-wait <duration>',
      'time after which a message goes to another process (default: 10s more than --timeout)',
      duration,
    ),
    deliveries: flag('--deliveries <n>', 'maximum deliveries of one message', positiveInteger, 5, '5'),
    keepHost: toggle('--keep-host', "send the client's Host instead of the server's"),
    bucket: flag(
      '--fleet <url>',
      'bucket for figures, read by report, verdict and top --fleet (default: umbra on the server of --from)',
      fleetAddress,
    ),
    noFleet: toggle('--no-fleet', 'publish no figures'),
    processName: flag(
      '--name <name>',
      'name of this process in the fleet (default: the name of the host)',
      name,
    ),
    metrics: flag(
      '--metrics <address>',
      'address for /metrics and /healthz, for example 127.0.0.1:9902',
      listenAddress,
    ),
    token: orEnvironment(
      flag('--token <token>', 'token for /metrics, needed where other machines can reach it', text),
      'UMBRA_TOKEN',
    ),
    forMs: flag('--for <duration>', 'stop after this time', duration),
    untilEmpty: toggle('--until-empty', 'stop when the group has no messages left'),
    output: flag(
      '-o, --output <json|file>',
      'print JSON, or write an HTML page, at the end, instead of text',
      text,
    ),
    verdict: toggle('--verdict', 'set the exit code as umbra verdict does'),
    ...verdictFlags,
  },
  complete({ to, connections, ackWait, bucket, noFleet, processName, ...options }, misuse) {
    checkCompareFlags(options, misuse);
    const target = targetOf(to, options.config, connections, misuse);
    const ackWaitMs = ackWait ?? options.timeoutMs + ackSlackMs;
    if (ackWaitMs <= options.timeoutMs) misuse('--ack-wait must be longer than --timeout');
    return {
      ...options,
      to: target,
      group: options.group ?? ('version' in target ? target.version.replaceAll('.', '-') : 'shadow'),
      ackWaitMs,
      fleet: noFleet ? null : (bucket ?? { nats: options.from.nats, bucket: usualBucket }),
      name: processName ?? hostName(),
    };
  },
});

export type ShadowOptions = OptionsOf<typeof shadow>;

function targetOf(to: string, config: string | null, connections: number, misuse: Misuse): ShadowTarget {
  if (!(parseName(to) instanceof Refusal)) {
    if (config === null) misuse(`--to ${to} names a version: name its configuration with -c`);
    return { version: to };
  }
  try {
    return { url: origin(to), connections };
  } catch (error) {
    return misuse(`option '${targetTerm}' argument '${to}' is invalid. ${(error as Error).message}`);
  }
}

/** `group` accepts a name of a consumer. JetStream restricts these like the names of buckets. */
function group(value: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(value)) return value;
  throw new InvalidArgumentError('Expected a name of letters, digits, - and _.');
}
