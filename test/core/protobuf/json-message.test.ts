/** Messages from JSON: by hand, and read by protoc where it is installed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Descriptors } from '../../../core/protobuf/descriptors.js';
import { Scalar } from '../../../core/protobuf/field-type.js';
import { encodeJsonMessage, JsonMessageFault } from '../../../core/protobuf/json-message.js';
import { missing } from '../../support/command.js';
import t from '../../support/tap.js';
import { descriptorSet, double, float, message, messageType } from './types.js';

const set = descriptorSet({
  pkg: 'shop',
  syntax: 'proto3',
  messages: [
    messageType('Item', [
      { name: 'item_id', number: 1, type: Scalar.INT32 },
      { name: 'name', number: 2, type: Scalar.STRING },
      { name: 'big', number: 3, type: Scalar.INT64 },
      { name: 'tags', number: 4, type: Scalar.STRING, repeated: true },
      { name: 'inner', number: 5, type: Scalar.MESSAGE, typeName: '.shop.Item' },
      { name: 'price', number: 6, type: Scalar.DOUBLE },
      { name: 'rate', number: 7, type: Scalar.FLOAT },
      { name: 'on', number: 8, type: Scalar.BOOL },
      { name: 'raw', number: 9, type: Scalar.BYTES },
      { name: 'zig', number: 10, type: Scalar.SINT32 },
      { name: 'unsigned', number: 11, type: Scalar.UINT64 },
    ]),
  ],
});
const descriptors = Descriptors.read(set);
const item = descriptors.message('shop.Item')!;
const encode = (json: unknown) => encodeJsonMessage(json, item, descriptors);

t.test('every kind of value is written as its type says', async (t) => {
  t.strictSame(encode({}), Buffer.alloc(0));
  t.strictSame(encode({ item_id: 7, name: 'ä' }), message([1, 7], [2, 'ä']));
  t.strictSame(
    encode({ itemId: -1 }),
    message([1, -1]),
    'the name of JSON, and a negative number of ten bytes',
  );
  t.strictSame(encode({ big: '-9223372036854775808' }), message([3, -(2n ** 63n)]));
  t.strictSame(encode({ unsigned: '18446744073709551615' }), message([11, 2n ** 64n - 1n]));
  t.strictSame(encode({ tags: ['a', 'b'] }), message([4, 'a'], [4, 'b']));
  t.strictSame(encode({ inner: { inner: { on: true } } }), message([5, [[5, [[8, true]]]]]));
  t.strictSame(encode({ price: 1.5, rate: 0.5 }), Buffer.concat([double(6, 1.5), float(7, 0.5)]));
  t.strictSame(encode({ price: 'NaN' }), double(6, Number.NaN));
  t.strictSame(encode({ raw: '-_8=' }), message([9, Buffer.from([0xfb, 0xff])]));
  t.strictSame(encode({ zig: -2 }), message([10, 3]));
  t.strictSame(encode({ name: null, tags: null }), Buffer.alloc(0), 'null is the default');
});

t.test('a fault names its place, what was expected there and what was given', async (t) => {
  for (const [json, why] of [
    [[], '$: expected an object (shop.Item), got []'],
    [{ stars: 1 }, /^\$: shop\.Item has no field stars; its fields are item_id, name, /],
    [{ inner: { inner: { name: 3 } } }, '$.inner.inner.name: expected a text, got 3'],
    [{ item_id: 'x' }, '$.item_id: expected an integer of 32 bits, got "x"'],
    [{ item_id: 2 ** 31 }, '$.item_id: expected an integer of 32 bits, got 2147483648'],
    [{ item_id: 1.5 }, '$.item_id: expected an integer of 32 bits, got 1.5'],
    [{ big: 2 ** 60 }, /^\$\.big: expected an integer of 64 bits, in quotation marks from 2\^53 on/],
    [{ unsigned: -1 }, '$.unsigned: expected an integer of 64 bits that is not negative, got -1'],
    [{ tags: 'a' }, '$.tags: expected a list, got "a"'],
    [{ tags: ['a', 1] }, '$.tags[1]: expected a text, got 1'],
    [{ on: 1 }, '$.on: expected true or false, got 1'],
    [{ raw: '%' }, '$.raw: expected Base64, got "%"'],
    [{ price: 'much' }, '$.price: expected a number, got "much"'],
    [{ rate: 1e39 }, '$.rate: expected a number of 32 bits, got 1e+39'],
  ] as const) {
    t.throws(() => encode(json), { name: 'Error', message: why }, JSON.stringify(json));
  }
  let deep = {};
  for (let i = 0; i < 200; i++) deep = { inner: deep };
  t.throws(() => encode(deep), /more than 100 levels/);
});

t.test('any JSON is written or refused with a fault, never with another error', async () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...[...item.fields.values()].map(({ name }) => name)), fc.jsonValue()),
      (json) => {
        try {
          encode(json);
        } catch (error) {
          if (!(error instanceof JsonMessageFault)) throw error;
        }
      },
    ),
  );
});

const proto = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
enum Colour { NONE = 0; RED = 1; }
message Order {
  map<string, int32> stock = 1;
  map<bool, Colour> flags = 2;
  repeated Colour colours = 3;
  google.protobuf.Timestamp at = 4;
  google.protobuf.Duration took = 5;
  google.protobuf.Struct more = 6;
  google.protobuf.Int64Value limit = 7;
  repeated sint64 deltas = 8;
  fixed32 f = 9; sfixed64 sf = 10;
  oneof pay { string card = 11; bool cash = 12; }
  google.protobuf.Value any = 13;
}
`;

t.test('protoc reads what was written', { skip: missing('protoc') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-proto-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'shop.proto'), proto);
  const [file, path] = ['shop.proto', join(directory, 'shop.binpb')];
  const words = [
    `-I${directory}`,
    '-I/usr/include',
    '--include_imports',
    `--descriptor_set_out=${path}`,
    file,
  ];
  const made = spawnSync('protoc', words, { encoding: 'utf8' });
  t.equal(made.status, 0, made.stderr);
  const types = Descriptors.read(readFileSync(path));
  const json = {
    stock: { a: 1, b: -2 },
    flags: { true: 'RED' },
    colours: ['RED', 0, 1],
    at: '2026-01-31T12:00:00.250+01:00',
    took: '-1.5s',
    more: { text: 'x', list: [1, null, true], deep: { a: {} } },
    limit: '9007199254740993',
    deltas: [-1, '-9223372036854775808'],
    f: 4294967295,
    sf: -1,
    cash: true,
    any: null,
  };
  const input = encodeJsonMessage(json, types.message('shop.Order')!, types);
  const read = spawnSync('protoc', [`-I${directory}`, '-I/usr/include', '--decode=shop.Order', file], {
    input,
    encoding: 'utf8',
  });
  t.equal(read.status, 0, read.stderr);
  const text = read.stdout.replace(/\s+/g, ' ');
  for (const part of [
    'stock { key: "a" value: 1 }',
    'stock { key: "b" value: -2 }',
    'flags { key: true value: RED }',
    'colours: RED colours: NONE colours: RED',
    'at { seconds: 1769857200 nanos: 250000000 }',
    'took { seconds: -1 nanos: -500000000 }',
    'fields { key: "text" value { string_value: "x" } }',
    'values { number_value: 1 } values { null_value: NULL_VALUE } values { bool_value: true }',
    'limit { value: 9007199254740993 }',
    'deltas: -1 deltas: -9223372036854775808',
    'f: 4294967295 sf: -1 cash: true',
    'any { null_value: NULL_VALUE }',
  ]) {
    t.ok(text.includes(part), `${part} in ${text}`);
  }
  const order = types.message('shop.Order')!;
  t.throws(
    () => encodeJsonMessage({ colours: ['BLUE'] }, order, types),
    /expected one of NONE, RED, got "BLUE"/,
  );
  t.throws(() => encodeJsonMessage({ at: 'now' }, order, types), /\$\.at: expected a time such as/);
});
