/** Our reading of Protocol Buffers against that of protoc, an implementation that is not ours. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Json, JsonNumber } from '../../../core/compare/json.js';
import { ProtobufPair } from '../../../core/compare/protobuf.js';
import { Descriptors } from '../../../core/protobuf/descriptors.js';
import { missing, runWell } from '../../support/command.js';
import t from '../../support/tap.js';

const skip = missing('protoc');

const proto = `syntax = "proto3";
package shop;
enum State { NEW = 0; GONE = 1; }
message Part { string name = 1; optional int32 count = 2; repeated Part parts = 3; }
message Item {
  double price = 1;
  float weight = 2;
  int64 big = 3;
  uint64 bigger = 4;
  int32 small = 5;
  fixed64 fixed = 6;
  fixed32 tiny = 7;
  bool sold = 8;
  string name = 9;
  bytes code = 10;
  uint32 count = 11;
  State state = 12;
  sfixed32 signed = 13;
  sfixed64 wide = 14;
  sint32 zig = 15;
  sint64 zag = 16;
  repeated int32 sizes = 17;
  repeated int32 loose = 18 [packed = false];
  repeated string tags = 19;
  map<string, Part> parts = 20;
  map<int32, State> states = 21;
  Part main = 22;
  optional string note = 23;
  oneof choice { string word = 24; int32 number = 25; }
}
`;

interface Part {
  readonly name: string;
  readonly count?: number;
  readonly parts: readonly Part[];
}

const text = fc.string({ unit: 'grapheme' }).filter((value) => Buffer.from(value).toString() === value);
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const finite = { noNaN: true, noDefaultInfinity: true };
const partOf = (depth: number): fc.Arbitrary<Part> =>
  fc.record(
    {
      name: text,
      count: int32,
      parts:
        depth > 2
          ? fc.constant([])
          : fc.array(
              fc.nat().chain(() => partOf(depth + 1)),
              { maxLength: 2 },
            ),
    },
    { requiredKeys: ['name', 'parts'] },
  );
const state = fc.constantFrom('NEW', 'GONE');

const item = fc.record(
  {
    price: fc.double(finite),
    weight: fc.float(finite),
    big: int64,
    bigger: uint64,
    small: int32,
    fixed: uint64,
    tiny: uint32,
    sold: fc.boolean(),
    name: text,
    code: fc.uint8Array({ maxLength: 8 }),
    count: uint32,
    state,
    signed: int32,
    wide: int64,
    zig: int32,
    zag: int64,
    sizes: fc.array(int32, { maxLength: 4 }),
    loose: fc.array(int32, { maxLength: 4 }),
    tags: fc.array(text, { maxLength: 3 }),
    parts: fc.uniqueArray(fc.tuple(text, partOf(1)), { maxLength: 3, selector: ([key]) => key }),
    states: fc.uniqueArray(fc.tuple(int32, state), { maxLength: 3, selector: ([key]) => key }),
    main: partOf(0),
    note: text,
    word: text,
  },
  { requiredKeys: [] },
);
type Item = typeof item extends fc.Arbitrary<infer Value> ? Value : never;

const quoted = (bytes: Uint8Array) =>
  `"${[...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;
const quotedText = (value: string) => quoted(Buffer.from(value));

/** The text format of protoc. */
function textOfPart({ name, count, parts }: Part): string {
  const counted = count === undefined ? '' : `count: ${count}`;
  return `{ name: ${quotedText(name)} ${counted} ${parts.map((part) => `parts ${textOfPart(part)}`).join(' ')} }`;
}

function textOf(value: Item): string {
  return Object.entries(value)
    .flatMap(([name, member]): string[] => {
      if (name === 'parts')
        return value.parts!.map(
          ([key, part]) => `parts { key: ${quotedText(key)} value ${textOfPart(part)} }`,
        );
      if (name === 'states') return value.states!.map(([key, one]) => `states { key: ${key} value: ${one} }`);
      if (name === 'main') return [`main ${textOfPart(value.main!)}`];
      if (name === 'state') return [`state: ${value.state}`];
      if (name === 'code') return [`code: ${quoted(value.code!)}`];
      const scalar = (one: unknown) =>
        typeof one === 'string' ? quotedText(one) : Object.is(one, -0) ? '-0' : String(one);
      return (Array.isArray(member) ? member : [member]).map((one) => `${name}: ${scalar(one)}`);
    })
    .join('\n');
}

function expectedPart({ name, count, parts }: Part): object {
  return {
    ...(name === '' ? {} : { name }),
    ...(count === undefined ? {} : { count: String(count) }),
    parts: parts.map(expectedPart),
  };
}

/** What the document must be: defaults are left out, presence is kept, lists and maps are always there. */
function expected(value: Item): object {
  const members: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === 'parts' || name === 'states' || Array.isArray(member)) continue;
    if (name === 'main') members.main = expectedPart(value.main!);
    else if (name === 'code') {
      if (value.code!.length > 0) members.code = `0x${Buffer.from(value.code!).toString('hex')}`;
    } else if (name === 'note' || name === 'word') members[name] = member;
    else if (name === 'price' || name === 'weight') {
      if (!Object.is(member, 0)) members[name] = Object.is(member, -0) ? '0' : Number(member);
    } else if (typeof member === 'number' || typeof member === 'bigint') {
      if (BigInt(member) !== 0n) members[name] = String(member);
    } else if (member !== '' && member !== false && member !== 'NEW') members[name] = member;
  }
  const sizes = (value.sizes ?? []).map(String);
  const loose = (value.loose ?? []).map(String);
  return {
    ...members,
    sizes,
    loose,
    tags: value.tags ?? [],
    parts: Object.fromEntries((value.parts ?? []).map(([key, part]) => [`:${key}`, expectedPart(part)])),
    states: Object.fromEntries((value.states ?? []).map(([key, one]) => [`:${key}`, one])),
  };
}

/** Numbers as texts, so that 64 bits are kept; the keys of maps are marked, so that none is a prototype. */
function plain(value: Json, isMap = false): unknown {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return value.map((one) => plain(one));
  if (!(value instanceof Map)) return value;
  const members = [...value].map(([name, member]): [string, unknown] => {
    if (name === 'price' || name === 'weight') {
      const { text } = member as JsonNumber;
      return [name, text === '0' ? text : name === 'weight' ? Math.fround(Number(text)) : Number(text)];
    }
    const isEntries = !isMap && member instanceof Map && (name === 'parts' || name === 'states');
    return [isMap ? `:${name}` : name, plain(member, isEntries)];
  });
  return Object.fromEntries(members);
}

t.test('messages that protoc writes are read as what was asked of it', { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-protoc-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'shop.proto'), proto);
  await runWell('protoc', ['--include_imports', '--descriptor_set_out=shop.binpb', 'shop.proto'], {
    cwd: directory,
  });
  const descriptors = Descriptors.read(readFileSync(join(directory, 'shop.binpb')));
  const type = descriptors.message('shop.Item');
  await fc.assert(
    fc.asyncProperty(item, async (value) => {
      const { out } = await runWell('protoc', ['--encode=shop.Item', 'shop.proto'], {
        cwd: directory,
        input: Buffer.from(textOf(value)),
      });
      const alone = new ProtobufPair(descriptors, type);
      t.strictSame(plain(alone.documents(alone.parse([out]))[0]!), expected(value));
    }),
    { numRuns: 60 },
  );
});
