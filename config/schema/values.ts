/**
 * The values of a configuration as zod schemas: durations, sizes, shares, names, addresses, lists and
 * mappings.
 */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import type { Address, ProtobufPlan } from '../../core/plan.js';
import { formatAddress, parseAddress } from '../address.js';
import { parseFieldValue, parseMethod } from '../fields.js';
import { parseName, parsePlain } from '../names.js';
import { parseRegexText } from '../regex.js';
import {
  durationPattern,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseShare,
  parseSize,
  percentOfShare,
  percentPattern,
  Refusal,
  ratePattern,
  sizePattern,
} from '../units.js';

const textLengthMax = 4096;

/**
 * `form` is one way to write a value: `read` converts the written form to the value, and `write` converts it
 * back for the effective configuration. Either may return a Refusal. After a refused `write` the next form of
 * a union is tried.
 */
export function form<Schema extends z.ZodType, T>(
  schema: Schema,
  read: (written: z.output<Schema>) => T | Refusal,
  write: (value: T) => z.output<Schema> | Refusal,
) {
  return z.codec(schema, z.custom<T>(), {
    decode: (written, context) => kept(read(written as z.output<Schema>), context),
    encode: (value, context) => kept(write(value), context) as z.input<Schema> & z.output<Schema>,
  });
}

function kept<T>(value: T | Refusal, context: z.core.ParsePayload): T {
  if (!(value instanceof Refusal)) return value;
  const { reason: message, path = [] } = value;
  context.issues.push({ code: 'custom', message, input: context.value, path: [...path] });
  return z.NEVER;
}

const notWritten = new Refusal('is written in another form');

/** `shorthand` is a short form that is read but never written. */
export function shorthand<Schema extends z.ZodType, T>(
  schema: Schema,
  read: (written: z.output<Schema>) => T,
) {
  return form(schema, read, (): Refusal => notWritten);
}

/** `single` accepts one item instead of a list of one. */
export function single<Schema extends z.ZodType>(item: Schema) {
  return shorthand(item, (one): z.output<Schema>[] => [one]);
}

/** `off` accepts `off` or `false`, for the value that `isOff` recognizes. */
export function off<T>(value: T, isOff: (value: unknown) => boolean = (other) => other === value) {
  return z.union([
    form(
      z.literal('off'),
      () => value,
      (given) => (isOff(given) ? ('off' as const) : notWritten),
    ),
    shorthand(z.literal(false), () => value),
  ]);
}

/**
 * `text` accepts a text that `parse` converts to a value. `format` returns a text that parses to the same
 * value.
 */
export function text(expected: string, parse: (text: string) => string | Refusal): TextForm<string>;
export function text<T>(
  expected: string,
  parse: (text: string) => T | Refusal,
  format: (value: T) => string,
): TextForm<T>;
export function text<T>(
  expected: string,
  parse: (text: string) => T | Refusal,
  format: (value: T) => string = String,
): TextForm<T> {
  return form(
    z.string({ error: expected }),
    (written) =>
      written.length > textLengthMax
        ? new Refusal(`is longer than ${textLengthMax} characters`)
        : parse(written),
    format,
  ).meta({ kind: kindOf(expected) });
}

/**
 * `kindOf` returns the type of a value as docs/configuration names it: `a duration` for `expected a
 * duration such as 15s`.
 */
function kindOf(expected: string): string {
  return expected.replace(/^expected (?:an? |the )?/, '').replace(/,? such as .*$/, '');
}

type TextForm<T> = z.ZodCodec<z.ZodString, z.ZodCustom<T, T>>;

/** `key` accepts a record's key. It is converted when the record is read. */
export function key(parse: (text: string) => string | Refusal) {
  return z.string().check((context) => {
    const parsed = parse(context.value);
    if (parsed instanceof Refusal)
      context.issues.push({ code: 'custom', message: parsed.reason, input: context.value });
  });
}

export function integer(min: number, max: number, error = `expected a whole number from ${min} to ${max}`) {
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function list<T extends z.ZodType>(item: T, expected: string, max: number = limits.routes) {
  return z
    .array(item, { error: expected })
    .min(1, { error: expected })
    .max(max, { error: `has more than ${max} items` });
}

export function mapping<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, { error: mappingExpected });
}
export const mappingExpected = 'expected a mapping';

export const durationExpected = 'expected a duration such as 250ms, 15s, 5m or 1h';
/** Milliseconds. */
export const duration = text(durationExpected, parseDuration, formatDuration).meta({
  pattern: durationPattern.source,
});
export const positiveDuration = text(
  durationExpected,
  (value) => {
    const ms = parseDuration(value);
    return ms === 0 ? new Refusal('must be longer than 0') : ms;
  },
  formatDuration,
).meta({ pattern: durationPattern.source });
/** Bytes. */
export const size = text('expected a size such as 500B, 64KiB, 1MiB or 1GiB', parseSize, formatSize).meta({
  pattern: sizePattern.source,
});
export const rate = text('expected a rate such as 5000/s', parseRate, formatRate).meta({
  pattern: ratePattern.source,
});

const percentExpected = 'expected a percentage from 0 to 100 in steps of 0.0001, such as 25, 0.5 or 1%';
/** Millionths. */
export const share = form(
  z.union(
    [
      z.number().min(0, { error: percentExpected }).max(100, { error: percentExpected }),
      z.string().meta({ pattern: percentPattern.source }),
    ],
    { error: percentExpected },
  ),
  parseShare,
  percentOfShare,
).meta({ kind: 'percentage' });

export const method = text('expected a method such as GET', parseMethod);
export const fieldValue = text('expected a header value', parseFieldValue).meta({ kind: 'text' });
export const name = text('expected a name', parseName);
export const file = text('expected the path of a file', parsePlain);

/** The content of a file, read when the configuration is loaded; null when files are not read. */
export interface PemOf {
  readonly path: string;
  readonly pem: string | null;
}
export const pemFile = form(
  file,
  (path): PemOf => ({ path, pem: null }),
  ({ path }) => path,
);

/** A descriptor set, read when the configuration is loaded; null when files are not read. */
export interface DescriptorsOf {
  readonly path: string;
  readonly set: ProtobufPlan | null;
}
export const descriptorFile = form(
  file,
  (path): DescriptorsOf => ({ path, set: null }),
  ({ path }) => path,
);

export const address = text(
  'expected an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/umbra.sock',
  (value): Address | Refusal => parseAddress(value),
  formatAddress,
);

export const regex = text('expected a regular expression', parseRegexText);

/** `choice` accepts a mapping with exactly one of its keys. */
export function choice<T extends z.core.$ZodLooseShape>(shape: T) {
  const expected = `expected exactly one of ${Object.keys(shape).join(', ')}`;
  return mapping(shape)
    .check((context) => {
      const given = Object.values(context.value as object).filter((part) => part !== undefined);
      if (given.length !== 1)
        context.issues.push({ code: 'custom', message: expected, input: context.value });
    })
    .meta({ minProperties: 1, maxProperties: 1 });
}
