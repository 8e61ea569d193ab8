/** `umbra load`. */
import { InvalidArgumentError } from 'commander';
import {
  defineCommand,
  flag,
  type OptionsOf,
  operand,
  repeatedFlag,
  toggle,
} from '../command-line/definition.js';
import { outputFlag } from '../command-line/flags.js';
import { duration, httpUrl, positiveInteger, text } from '../command-line/values.js';
import { isToken, parseFieldValue, parseMethod } from '../fields.js';
import { Refusal } from '../units.js';

export const load = defineCommand({
  name: 'load',
  summary: 'send load to a URL and print percentiles',
  operands: { url: operand('<url>', 'target URL', httpUrl) },
  flags: {
    rate: flag('--rate <n>', 'requests per second (default: as many as possible)', positiveInteger),
    durationMs: flag('--duration <duration>', 'how long to send', duration, 30_000, '30s'),
    connections: flag('--connections <n>', 'connections to keep open', positiveInteger, 10, '10'),
    method: flag('-X, --method <method>', 'request method (default: GET, or POST with --body)', method),
    headers: repeatedFlag(
      '-H, --header <header>',
      "add a header, for example 'x-user: 7' (repeatable)",
      header,
    ),
    host: flag('--host <name>', 'send this Host instead of that of the URL', text),
    output: outputFlag,
    body: flag('--body <file>', 'send the content of this file', text),
    http2: toggle('--http2', 'speak HTTP/2: to http:// without asking, to https:// by ALPN'),
    streams: flag('--streams <n>', 'HTTP/2: requests at once on each connection', positiveInteger, 1, '1'),
    grpc: flag('--grpc <method>', 'call this gRPC method, for example shop.Shop/Get', grpcMethod),
    descriptors: flag('--descriptors <file>', 'gRPC: descriptor set that has the method (protoc, buf)', text),
    data: flag('-d, --data <json>', 'gRPC: the message, as JSON or as @FILE (default: {})', text),
  },
  complete({ grpc, descriptors, data, ...values }, misuse) {
    if (grpc === null) {
      if (descriptors !== null || data !== null) misuse('--descriptors and --data need --grpc.');
      if (!values.http2 && values.streams > 1) misuse('--streams needs --http2 or --grpc.');
      return { ...values, grpc: null };
    }
    if (descriptors === null) {
      return misuse(
        '--grpc needs --descriptors FILE; protoc --include_imports --descriptor_set_out writes one.',
      );
    }
    if (values.body !== null || values.method !== null)
      misuse('--grpc takes --data, not --body or --method.');
    return { ...values, http2: true, grpc: { method: grpc, descriptors, data: data ?? '{}' } };
  },
});

/** A method as grpcurl and ghz take it: with a slash or a dot before its last name. */
function grpcMethod(value: string): string {
  const name = value.startsWith('/') ? value.slice(1) : value;
  const end = Math.max(name.lastIndexOf('/'), name.lastIndexOf('.'));
  const [service, method] = [name.slice(0, Math.max(0, end)), name.slice(end + 1)];
  if (!/^[\w.]+$/.test(service) || !/^\w+$/.test(method))
    throw new InvalidArgumentError('Expected a method such as shop.Shop/Get.');
  return `${service}/${method}`;
}

function method(value: string): string {
  const parsed = parseMethod(value);
  if (parsed instanceof Refusal) throw new InvalidArgumentError('Expected a method such as PUT.');
  return parsed;
}

/** `header` returns name and value. */
function header(value: string): readonly [name: string, value: string] {
  const colon = value.indexOf(':');
  const [name, content] = [
    value.slice(0, Math.max(colon, 0)).trim(),
    parseFieldValue(value.slice(colon + 1)),
  ];
  if (!isToken(name) || content instanceof Refusal)
    throw new InvalidArgumentError("Expected a header such as 'x-user: 7'.");
  return [name, content];
}

export type LoadCommandOptions = OptionsOf<typeof load>;
