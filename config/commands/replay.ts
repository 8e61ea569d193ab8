/** `umbra replay`: sends recorded requests to a server. */
import { InvalidArgumentError } from 'commander';
import type { Pace } from '../../core/replay/pace.js';
import type { RequestEdits } from '../../core/replay/request-edits.js';
import { parseTokenSource, type TokenSource, tokenSourceExpected } from '../../core/replay/session-tokens.js';
import {
  defineCommand,
  flag,
  type OptionsOf,
  operandList,
  repeatedFlag,
  requiredFlag,
  toggle,
} from '../command-line/definition.js';
import { checkCompareFlags, compareFlags, verdictFlags } from '../command-line/flags.js';
import { duration, filter, order, origin, positiveInteger, text } from '../command-line/values.js';
import { parseEditableFieldName, parseFieldValue } from '../fields.js';
import { Refusal } from '../units.js';

export const replay = defineCommand({
  name: 'replay',
  summary: 'replay recordings (WARC, GoReplay or HAR) to a server, and compare with the recorded responses',
  operands: {
    files: operandList(
      '<files...>',
      'recordings, or directories of them, merged by the times of their requests',
    ),
  },
  flags: {
    to: requiredFlag(
      '--to <url[,url]>',
      'server, for example http://127.0.0.1:9081; with two, the second is compared with the first',
      servers,
    ),
    baseline: flag(
      '--baseline <url>',
      'server with the version of the recording, or of the first --to, which gets each request too, to measure noise',
      origin,
    ),
    learn: flag(
      '--learn <url|file>',
      'learn noise first: play to this server, which has the version of the recording, or compare with ' +
        'another recording of the same requests, or a directory of them',
      noiseSource,
    ),
    ...compareFlags,
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
    setHeaders: repeatedFlag(
      '--set-header <field>',
      "set a header field, 'name: value' (repeatable)",
      headerField,
    ),
    removeHeaders: repeatedFlag('--remove-header <name>', 'remove a header field (repeatable)', headerName),
    rewritePaths: repeatedFlag(
      '--rewrite-path <from=to>',
      'replace the beginning of the path, for example /v1/=/v2/ (repeatable)',
      pathRewrite,
    ),
    sessions: repeatedFlag(
      '--session <source>',
      "tokens of sessions: send the server's own in place of the recorded ones; cookie:NAME, header:NAME or " +
        'a member of a JSON response such as $.access_token (repeatable)',
      tokenSource,
    ),
    host: flag('--host <name>', "send this Host instead of the server's", hostName),
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
      'maximum requests in flight; further requests that are due are dropped',
      positiveInteger,
      10_000,
      '10000',
    ),
    timeoutMs: flag('--timeout <duration>', 'timeout of each request', duration, 30_000, '30s'),
    output: flag('-o, --output <json|file>', 'print JSON, or write an HTML page, instead of text', text),
    verdict: toggle('--verdict', 'set the exit code as umbra verdict does'),
    ...verdictFlags,
  },
  exclusive: ['speed', 'rate'],
  complete({ speed, rate, setHeaders, removeHeaders, rewritePaths, host, keepHost, ...options }, misuse) {
    checkCompareFlags(options, misuse);
    const { to, baseline, learn } = options;
    if (learn !== null && baseline !== null) misuse('--learn and --baseline exclude each other');
    if (learn !== null && to.length > 1)
      misuse('--learn is about the version of the recording: with two servers in --to, use --baseline');
    if (host !== null && keepHost) misuse('--host and --keep-host exclude each other');
    const edits: RequestEdits = {
      headers: { remove: removeHeaders, set: setHeaders, add: [] },
      paths: rewritePaths,
      host,
    };
    return { ...options, keepHost: keepHost || host !== null, edits, pace: paceOf(speed, rate) };
  },
});

export type ReplayOptions = OptionsOf<typeof replay>;

function paceOf(speed: number | 'max' | null, perSecond: number | null): Pace {
  if (perSecond !== null) return { kind: 'rate', perSecond };
  return speed === 'max' ? { kind: 'max' } : { kind: 'recorded', speed: speed ?? 1 };
}

/** The source of noise: a server with the version of the recording, or another recording of it. */
export type NoiseSource = { readonly url: string } | { readonly path: string };

function noiseSource(value: string): NoiseSource {
  return /^https?:\/\//.test(value) ? { url: origin(value) } : { path: text(value) };
}

function servers(value: string): readonly [string] | readonly [string, string] {
  const [first, second, ...more] = value.split(',').map((url) => origin(url.trim()));
  if (more.length > 0) throw new InvalidArgumentError('Expected one server, or two to compare.');
  return second === undefined ? [first] : [first, second];
}

/** `headerName` accepts the fields that routes may edit: not Host, and not fields of the connection. */
function headerName(value: string): string {
  const name = parseEditableFieldName(value.trim());
  if (name instanceof Refusal) throw new InvalidArgumentError(`${name.reason}.`);
  return name;
}

function headerField(value: string): readonly [name: string, value: string] {
  const colon = value.indexOf(':');
  if (colon < 1) throw new InvalidArgumentError("Expected 'name: value'.");
  const content = parseFieldValue(value.slice(colon + 1).trim());
  if (content instanceof Refusal) throw new InvalidArgumentError(`${content.reason}.`);
  return [headerName(value.slice(0, colon)), content];
}

function pathRewrite(text: string): { readonly prefix: string; readonly value: string } {
  const sign = text.indexOf('=');
  const [prefix, value] = [text.slice(0, sign), text.slice(sign + 1)];
  const isPath = (path: string): boolean => /^\/[^?#\s]*$/.test(path);
  if (isPath(prefix) && isPath(value)) return { prefix, value };
  throw new InvalidArgumentError('Expected two beginnings of a path, such as /v1/=/v2/.');
}

function hostName(value: string): string {
  if (/^[A-Za-z0-9._~\-[\]:]{1,255}$/.test(value)) return value;
  throw new InvalidArgumentError('Expected a host name, with a port where it has one.');
}

function tokenSource(value: string): TokenSource {
  const source = parseTokenSource(value);
  if (source === null) throw new InvalidArgumentError(`${tokenSourceExpected}.`);
  return source;
}

function speed(value: string): number | 'max' {
  if (value === 'max') return value;
  const times = /^(\d{1,6}(?:\.\d{1,3})?)x?$/.exec(value);
  if (times !== null && Number(times[1]) > 0) return Number(times[1]);
  throw new InvalidArgumentError('Expected a speed such as 2x, 0.5x or max.');
}
