/** `umbra demo`. */
import { InvalidArgumentError } from 'commander';
import type { LogLevel } from '../../core/plan.js';
import { defineCommand, flag, toggle } from '../command-line/definition.js';
import { logFlags, logLevelOf } from '../command-line/flags.js';
import { duration, port, positiveInteger } from '../command-line/values.js';

/** The services of the demo, and the ports that they have where they run alone. */
export const servicePorts = { v1: 9080, v2: 9081 } as const;
export type ServiceName = keyof typeof servicePorts;

const rateDefault = 5;

export interface DemoOptions {
  /** Only these services run, without a proxy and clients; null for the whole demo. */
  readonly services: readonly ServiceName[] | null;
  readonly forMs: number | null;
  readonly rate: number;
  readonly port: number | null;
  readonly adminPort: number | null;
  readonly open: boolean;
  /** v2 fails some requests, so that its rollout is rolled back. */
  readonly bad: boolean;
  /** The services and their clients speak gRPC, and the demo ends with the verdict in place of a rollout. */
  readonly grpc: boolean;
  readonly logLevel: LogLevel | null;
}

export const demo = defineCommand({
  name: 'demo',
  summary: 'run two small services under light load: mirror one, judge it, and release it',
  flags: {
    forMs: flag('--for <duration>', 'stop after this time and print the comparison', duration),
    rate: flag('--rate <n>', `requests per second (default: ${rateDefault})`, positiveInteger),
    port: flag('--port <n>', 'port of the proxy', port),
    adminPort: flag('--admin-port <n>', 'port of the admin server and its page', port),
    open: toggle('--open', 'open the page in a browser'),
    bad: toggle('--bad', 'let v2 fail some requests, so that its rollout is rolled back'),
    grpc: toggle('--grpc', 'two gRPC services, whose verdict ends the demo in place of a rollout'),
    ...logFlags,
    services: flag(
      '--services <names>',
      'run only these services (v1,v2), on the ports 9080 and 9081',
      services,
    ),
  },
  complete({ rate, verbose, quiet, ...values }, misuse): DemoOptions {
    const { services, forMs, port, adminPort, open, bad, grpc } = values;
    const others = [forMs, rate, port, adminPort].some((value) => value !== null) || open || bad || grpc;
    if (services !== null && others) misuse("option '--services' cannot be used with any other");
    return { ...values, rate: rate ?? rateDefault, logLevel: logLevelOf({ verbose, quiet }, misuse) };
  },
});

/** `services` reads names that are separated by commas. */
function services(value: string): ServiceName[] {
  const names = [...new Set(value.split(','))];
  if (names.every(isService)) return names;
  throw new InvalidArgumentError('Expected v1, v2 or v1,v2.');
}

function isService(name: string): name is ServiceName {
  return Object.hasOwn(servicePorts, name);
}
