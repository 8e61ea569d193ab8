/** `compare` of a mirror, which configures the comparison of responses, and `redact`, which hides values. */
import { z } from 'zod';
import { changes } from '../../core/compare/difference.js';
import { PathRefusal, parseJsonPath } from '../../core/compare/json-path.js';
import { limits } from '../../core/limits.js';
import type { Tolerance } from '../../core/plan.js';
import { parseFieldName } from '../fields.js';
import { Refusal } from '../units.js';
import { parseQueryName } from './match.js';
import {
  descriptorFile,
  mapping,
  mappingExpected,
  name,
  regex,
  share,
  shorthand,
  size,
  text,
} from './values.js';

/** One rule of `ignore`. */
export type IgnoreRule = { readonly header: string } | { readonly path: string };

const ignoreExpected = 'expected header:NAME or a JSONPath such as $.requestId or $..updatedAt';
const toleranceExpected = 'expected a number such as 0.001, or a percentage such as 0.1%';
const rulesMax = 64;

function parsePath(path: string): string | Refusal {
  const parsed = parseJsonPath(path);
  return parsed instanceof PathRefusal ? new Refusal(parsed.reason) : path;
}

function parseIgnore(rule: string): IgnoreRule | Refusal {
  if (rule.startsWith('$')) {
    const path = parsePath(rule);
    return path instanceof Refusal ? path : { path };
  }
  if (!rule.startsWith('header:')) return new Refusal(ignoreExpected);
  const header = parseFieldName(rule.slice('header:'.length).trim());
  return header instanceof Refusal ? header : { header };
}

function formatIgnore(rule: IgnoreRule): string {
  return 'path' in rule ? rule.path : `header:${rule.header}`;
}

function parseTolerance(value: string): Tolerance | Refusal {
  const found = /^(\d{1,15}(?:\.\d{1,15})?)(%?)$/.exec(value);
  return found === null ? new Refusal(toleranceExpected) : { relative: found[2] === '%', value: found[1] };
}

function formatTolerance({ relative, value }: Tolerance): string {
  return relative ? `${value}%` : value;
}

function rules<T extends z.ZodType>(item: T, expected: string) {
  return z.array(item, { error: expected }).max(rulesMax, { error: `has more than ${rulesMax} items` });
}

const field = text('expected a header name', parseFieldName);
const parameter = text('expected the name of a query parameter', parseQueryName);
const bodyMax = size.refine((bytes) => bytes <= limits.comparedBodyBytes, {
  error: `expected at most ${limits.comparedBodyBytes / 1024}KiB`,
});

const rulePathExpected =
  'expected a JSONPath such as $.items, or a kind and a place such as header:NAME, text:LINE or status:200 404';
const rulePlace = /^(header|json|markup|text|binary|status|not-comparable):(.*)$/s;

/** The place of a rule; `kind` is `json` for a JSONPath. */
export interface RulePlace {
  readonly kind: string;
  readonly path: string;
}

function parseRulePlace(value: string): RulePlace | Refusal {
  if (value.startsWith('$')) {
    const path = parsePath(value);
    return path instanceof Refusal ? path : { kind: 'json', path };
  }
  const found = rulePlace.exec(value);
  return found === null ? new Refusal(rulePathExpected) : { kind: found[1], path: found[2] };
}

function formatRulePlace({ kind, path }: RulePlace): string {
  return kind === 'json' && path.startsWith('$') ? path : `${kind}:${path}`;
}

const endpointExpected = 'expected a method and a path pattern, such as GET /users/*';
const patternExpected = 'expected a path pattern such as /users/* or /files/**';

function parsePattern(value: string): string | Refusal {
  return /^\/[^\s?#]*$/.test(value) ? value : new Refusal(patternExpected);
}

function parseEndpoint(value: string): string | Refusal {
  return /^[A-Z-]+ \/[^\s?#]*$/.test(value) ? value : new Refusal(endpointExpected);
}

const tolerance = z
  .union([shorthand(z.number(), String), z.string()], { error: toleranceExpected })
  .pipe(text(toleranceExpected, parseTolerance, formatTolerance));
const ignoreChangeExpected = `expected true, or one of ${changes.join(', ')}`;

const rule = mapping({
  path: text(rulePathExpected, parseRulePlace, formatRulePlace).meta({
    description: 'Place of the rule: a JSONPath, or a kind and a place as `umbra diffs` shows them.',
  }),
  endpoint: text(endpointExpected, parseEndpoint).optional().meta({
    description: 'With `ignore`: only for requests with this method and path pattern.',
  }),
  ignore: z
    .union([z.literal(true), z.enum(changes)], { error: ignoreChangeExpected })
    .optional()
    .meta({ description: 'Allowed difference: any (true), or one kind of change.' }),
  tolerance: tolerance.optional().meta({ description: 'Numbers within this tolerance are equal.' }),
  unordered: z
    .literal(true, { error: 'expected true' })
    .optional()
    .meta({ description: 'The order of the items of this array is ignored.' }),
  key: z
    .string({ error: "expected a member's name" })
    .min(1)
    .optional()
    .meta({ description: 'The member that identifies the objects of this array.' }),
  matches: regex.optional().meta({
    description: 'Values that fully match this regular expression are equal.',
  }),
  equivalent: z
    .array(z.union([z.string(), z.number(), z.boolean(), z.null()]), { error: 'expected a list of values' })
    .min(2)
    .max(rulesMax)
    .optional()
    .meta({ description: 'Values that are equivalent.' }),
}).check((context) => {
  const { path, endpoint, ...does } = context.value;
  const refuse = (message: string) => context.issues.push({ code: 'custom', message, input: context.value });
  if (Object.values(does).filter((part) => part !== undefined).length !== 1) {
    refuse('expected exactly one of ignore, tolerance, unordered, key, matches, equivalent');
  } else if (does.ignore === undefined && (path.kind !== 'json' || endpoint !== undefined)) {
    refuse('expected a JSONPath and no endpoint, except with `ignore`');
  }
});

export const compare = z.union(
  [
    z.literal('off'),
    mapping({
      headers: rules(field, 'expected a list of header names').prefault(['content-type']).meta({
        description: 'Response header fields that are compared in every pair.',
      }),
      sample: share.prefault('1%').meta({
        description: 'The share of copies whose responses are compared field by field; 0 for none.',
      }),
      ignore: rules(text(ignoreExpected, parseIgnore, formatIgnore), 'expected a list of rules')
        .prefault([])
        .meta({
          description:
            'Allowed differences: header:NAME, or a JSONPath ($.requestId, $.items[*].ts, $..etag).',
        }),
      tolerance: tolerance.prefault('0').meta({
        description:
          'Numbers in JSON within this tolerance are equal: absolute (0.001), or relative to the larger one (0.1%).',
      }),
      arrays: z
        .enum(['ordered', 'unordered'], { error: 'expected ordered or unordered' })
        .prefault('ordered')
        .meta({ description: 'Whether the order of items in JSON arrays is compared.' }),
      rules: rules(rule, 'expected a list of rules')
        .prefault([])
        .meta({ description: 'Rules for single places.' }),
      endpoints: z
        .union([z.literal('auto'), rules(text(patternExpected, parsePattern), patternExpected)], {
          error: 'expected auto, or a list of path patterns such as /users/*',
        })
        .prefault('auto')
        .meta({
          description:
            'Grouping of paths into endpoints: learned from traffic (auto), or by these patterns first. `*` is one segment, a final `**` the rest.',
        }),
      protobuf: mapping({
        descriptors: descriptorFile.meta({
          description:
            'File with a FileDescriptorSet, relative to the configuration file, as `protoc --include_imports --descriptor_set_out=FILE` or `buf build -o FILE` writes it; or `reflection`, which asks the primary.',
        }),
      })
        .optional()
        .meta({
          description:
            'Types of Protocol Buffers, so that fields of gRPC messages have names. Without it they have numbers.',
        }),
      body: mapping({
        digest: z
          .boolean({ error: 'expected true or false' })
          .prefault(true)
          .meta({ description: 'Whether checksums of the bodies of every pair are compared.' }),
        max: bodyMax
          .prefault('256KiB')
          .meta({ description: 'The largest body that is compared field by field.' }),
      })
        .prefault({})
        .meta({ description: 'Comparison of bodies.' }),
      baseline: name.optional().meta({
        description:
          "The route's primary: sampled requests with a safe method are sent to it once more, to learn which fields differ by themselves.",
      }),
    }),
  ],
  { error: mappingExpected },
);

export const redact = mapping({
  defaults: z.boolean({ error: 'expected true or false' }).prefault(true).meta({
    description:
      'Whether values with well-known secret names are hidden: authorization, cookie, token, password and the like.',
  }),
  headers: rules(field, 'expected a list of header names')
    .prefault([])
    .meta({ description: 'Further header fields to hide.' }),
  query: rules(parameter, 'expected a list of names of parameters')
    .prefault([])
    .meta({ description: 'Further query parameters and form fields to hide, in any case.' }),
  json: rules(text('expected a JSONPath such as $..email', parsePath), 'expected a list of JSONPaths')
    .prefault([])
    .meta({ description: 'Further places in JSON bodies to hide.' }),
});
