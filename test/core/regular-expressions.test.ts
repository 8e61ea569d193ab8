/**
 * Regular expressions meet bytes that clients, versions, NATS servers and recordings choose, and a
 * backtracking engine may take the square of their length. So each one in the product is linear by its form,
 * or is in the list below with the reason why it is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RegexLiteral, regexLiterals } from '../support/regex-literals.js';
import { parseRegex } from '../support/regex-safety.js';
import t from '../support/tap.js';

const root = join(import.meta.dirname, '../../..');
const rooms = ['bin', 'config', 'core', 'workers'];
/** Runs in a browser, on what umbra itself has sent. */
const elsewhere = ['workers/dashboard/'];

const parts = 'each part ends at a character that the next one can not begin with';
const labels = 'a label may also end earlier, but no dot follows there, which fails at once';
const own = 'runs on text that umbra itself has made';
const operator = 'runs on what the operator typed, or on what the kernel shows';
const oneplace = 'the repetition takes all that is left at the first place that fits';
const shortPath = 'runs on the path of a difference, which has at most limits.diffValueChars characters';
const run = 'each run is taken once, and nothing behind it could fail';

/** By file: pattern and reason. */
const allowed: readonly (readonly [file: string, pattern: string, reason: string])[] = [
  [
    'config/address.ts',
    String.raw`^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`,
    labels,
  ],
  ['config/address.ts', String.raw`^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$`, parts],
  ['config/commands/weights.ts', String.raw`^([^=]+)=(\d+(?:\.\d+)?%?)$`, operator],
  ['config/documents/check-shape.ts', ', ([^,]*)$', own],
  [
    'config/documents/document.ts',
    String.raw`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`,
    labels,
  ],
  ['config/documents/duration.ts', String.raw`^(\d+(\.\d+)?(h|ms|m|s))+$`, parts],
  [
    'config/documents/duration.ts',
    String.raw`(\d+(?:\.\d+)?)(h|ms|m|s)`,
    'runs on what the one above has matched',
  ],
  ['config/documents/host-name.ts', String.raw`^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$`, parts],
  [
    'config/documents/virtual-service.ts',
    String.raw`^(.*?)(?::(\d+))?$`,
    'digits end at the colon of the next place that is tried',
  ],
  [
    'config/environment.ts',
    String.raw`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-)([^}]*))?\}|\$\{`,
    'a brace that closes follows every place in the text that it gets',
  ],
  ['config/environment.ts', String.raw`^[-+]?\d+(?:\.\d+)?$`, parts],
  ['config/host-name.ts', '[^A-Za-z0-9_-]+', run],
  [
    'config/issues.ts',
    String.raw`(^admin\.token$)|(\.(headers|request|response)\.(set|add)\.)|(\.respond\.headers\.)|(\.match(\[\d+\])?\.(without\.)?(header|cookie|query)\.)`,
    'runs on the path of a configuration key; digits end at a bracket',
  ],
  ['config/nats-address.ts', String.raw`^([a-z+-]+):\/\/(?:([^@/]*)@)?([^/@]+)(?:\/(.*))?$`, parts],
  ['config/nats-address.ts', String.raw`^[A-Za-z0-9_=/-]+(\.[A-Za-z0-9_=/-]+)*$`, parts],
  ['config/nats-address.ts', String.raw`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`, parts],
  [
    'config/rollout-steps.ts',
    String.raw`^(mirror(?:=(?<mirrored>[\d.]+%))?|(?<released>[\d.]+%))(?::(?<least>\d\w+)(?:-(?<most>\d\w+))?)?$`,
    parts,
  ],
  ['config/schema/answer.ts', String.raw`:\d+$`, 'digits end at the next colon'],
  ['config/schema/order.ts', ':(.*)', oneplace],
  ['config/schema/sample.ts', ':(.*)', oneplace],
  ['config/schema/values.ts', ',? such as .*$', own],
  ['config/set.ts', String.raw`^[^.[\]]+(?:\.[^.[\]]+|\[\d{1,6}\])*$`, operator],
  ['config/set.ts', String.raw`\[(\d+)\]|[^.[\]]+`, operator],
  ['config/units.ts', String.raw`^\d+\s*[kmg]b?$`, parts],
  [
    'core/compare/body.ts',
    String.raw`;\s*charset\s*=\s*"?([\w.:-]+)`,
    'blanks and the name end at the next semicolon',
  ],
  ['core/compare/decimal.ts', String.raw`^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$`, parts],
  [
    'core/compare/json-path.ts',
    String.raw`\[\s*(?:\*|(?<index>0|[1-9]\d{0,8})|'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)")\s*\]`,
    parts,
  ],
  ['core/compare/json.ts', String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`, parts],
  ['core/compare/endpoints.ts', 'RegExp(…)', 'each alternative goes over the text once'],
  ['core/compare/key-fold.ts', String.raw`\.[A-Za-z_]\w*|\[\*\]|\['(?:[^'\\]|\\.)*'\]|.`, shortPath],
  ['core/compare/key-fold.ts', String.raw`\d+`, shortPath],
  ['core/compare/markup.ts', String.raw`\s+`, run],
  [
    'core/compare/text-diff.ts',
    String.raw`\b(?=[a-f]*\d)[0-9a-f]{8,}\b`,
    'each word is looked at from its start alone',
  ],
  ['core/compare/text-diff.ts', String.raw`\d+`, run],
  ['core/compare/word-diff.ts', String.raw`[\p{L}\p{N}_.:+/%-]+|\s+|.`, run],
  ['core/compare/key-fold.ts', "[0-9a-f]{4,}(?=-|'|$)", shortPath],
  ['core/report/diffs.ts', String.raw`\.\w+|\[\*\]|\['(?:[^'\\]|\\.)*'\]|.`, shortPath],
  ['core/compare/well-known-types.ts', '0+$', 'runs on the nine digits of nanoseconds'],
  [
    'core/grpc/grpc-answer.ts',
    String.raw`^content-type:.*\r\n`,
    'each line is looked at from its start alone',
  ],
  ['workers/bundle.ts', String.raw`\bimport\('(\.{1,2}\/[^']+)'\)`, own],
  ['workers/compiled-code.ts', String.raw`listen=(\S+)`, own],
  [
    'workers/control/certificate-expiry.ts',
    '-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----',
    parts,
  ],
  ['core/hlog/log-parser.ts', String.raw`^#\[(StartTime|BaseTime): *([\d.]+)`, parts],
  ['core/hlog/log-parser.ts', String.raw`^\d+(\.\d*)?(e[+-]?\d+)?$`, parts],
  [
    'core/http/connection-login.ts',
    String.raw`(?:^|,)\s*(?:ntlm|negotiate)(?=[\s,]|$)`,
    'blanks end at the next comma',
  ],
  ['core/http/request-target.ts', String.raw`^https?:\/\/([^/?@]+)([/?].*)?$`, parts],
  ['core/regex/parse.ts', '^([imsU]*)(?:-([imsU]+))?(?=[:)])', parts],
  ['core/report/figures.ts', String.raw`\B(?=(\d{3})+(?!\d))`, own],
  ['core/report/percentile-plot.ts', String.raw`\.0+ `, own],
  ['workers/admin/guard.ts', '^Bearer +([^ ]+) *$', parts],
  ['workers/admin/guard.ts', String.raw`:\d*$`, 'digits end at the next colon'],
  ['workers/downstream/inherited.ts', String.raw`\s+`, operator],
  ['workers/downstream/inherited.ts', String.raw`^\S+: \S+ \S+ (\S+) (\S+) \S+ +(\d+) (.+)$`, operator],
];

t.test('every regular expression is linear by its form, or listed with a reason', async (t) => {
  const reasons = new Map(allowed.map(([file, pattern, reason]) => [`${file} ${pattern}`, reason]));
  const used = new Set<string>();
  for (const file of rooms.flatMap((room) => sources(room))) {
    for (const literal of regexLiterals(readFileSync(join(root, file), 'utf8'))) {
      if (isLinearByForm(literal)) continue;
      const name = `${file} ${literal.pattern}`;
      used.add(name);
      t.ok(reasons.get(name), `${name} is not linear by its form: trim by index, or list it`);
    }
  }
  const gone = [...reasons.keys()].filter((name) => !used.has(name));
  for (const name of gone) t.comment(`the list may forget ${name}`);
});

t.test('forms that may take the square of a text are found, and linear ones pass', async (t) => {
  for (const source of ['/ +$/', '/^[ \\t]+|[ \\t]+$/g', '/ *, */', '/(a+)+/', '/^(a|a)*$/', '/^a*b*a*a*$/'])
    t.notOk(isLinearByForm(regexLiterals(source)[0]!), source);
  for (const source of ['/[-_.]/g', '/^\\d{1,15}$/', '/^[^/]+\\/x$/', '/[ \\t]*/y'])
    t.ok(isLinearByForm(regexLiterals(source)[0]!), source);
});

/**
 * Bounded: what it reads from one place has a bound. Anchored: it tries one place, and the check of the
 * configuration's expressions grants that what it tries there is linear.
 */
function isLinearByForm({ pattern, flags }: RegexLiteral): boolean {
  if (pattern === 'RegExp(…)') return false;
  const bare = pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]/gs, 'x');
  if (!/[*+]|\{\d+,\}/.test(bare)) return true;
  const anchored = flags.includes('y') || (pattern.startsWith('^') && !flags.includes('m'));
  return anchored && !hasAlternatives(bare) && parseRegex(pattern) === pattern;
}

/** Whether a `|` stands outside of all groups: an anchor in front is only the first alternative's. */
function hasAlternatives(bare: string): boolean {
  let depth = 0;
  for (const char of bare) {
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === '|' && depth === 0) return true;
  }
  return false;
}

function sources(room: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .map((name) => `${room}/${name}`)
    .filter((name) => name.endsWith('.ts') && !elsewhere.some((start) => name.startsWith(start)))
    .sort();
}
