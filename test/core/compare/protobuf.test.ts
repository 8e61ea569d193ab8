import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Comparer } from '../../../core/compare/compare.js';
import { exact } from '../../../core/compare/decimal.js';
import { type Json, JsonFault, JsonNumber } from '../../../core/compare/json.js';
import { ProtobufPair, parseProtobuf } from '../../../core/compare/protobuf.js';
import { framedMessage } from '../../../core/grpc/message-counter.js';
import type { PathRulePlan, ProtobufPlan } from '../../../core/plan.js';
import { DescriptorFault, Descriptors } from '../../../core/protobuf/descriptors.js';
import { Scalar } from '../../../core/protobuf/field-type.js';
import { redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';
import { descriptorSet, double, float, message, messageType, type Part, packed } from '../protobuf/types.js';

function plain(value: Json | undefined): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  return value;
}

/** A shop: implicit and explicit presence, lists, maps, enums, nested types, and well-known types. */
const shop = descriptorSet(
  {
    pkg: 'google.protobuf',
    syntax: 'proto3',
    messages: [
      messageType('Timestamp', [
        { name: 'seconds', number: 1, type: Scalar.INT64 },
        { name: 'nanos', number: 2, type: Scalar.INT32 },
      ]),
      messageType('Duration', [
        { name: 'seconds', number: 1, type: Scalar.INT64 },
        { name: 'nanos', number: 2, type: Scalar.INT32 },
      ]),
      messageType('Any', [
        { name: 'type_url', number: 1, type: Scalar.STRING },
        { name: 'value', number: 2, type: Scalar.BYTES },
      ]),
      messageType('Int32Value', [{ name: 'value', number: 1, type: Scalar.INT32 }]),
    ],
  },
  {
    pkg: 'shop',
    syntax: 'proto3',
    messages: [
      messageType(
        'Item',
        [
          { name: 'name', number: 1, type: Scalar.STRING },
          { name: 'price', number: 2, type: Scalar.DOUBLE },
          { name: 'stars', number: 3, type: Scalar.INT32, optional: true },
          { name: 'tags', number: 4, type: Scalar.STRING, repeated: true },
          { name: 'sizes', number: 5, type: Scalar.SINT32, repeated: true },
          { name: 'state', number: 6, type: Scalar.ENUM, typeName: '.shop.State' },
          {
            name: 'stock',
            number: 7,
            type: Scalar.MESSAGE,
            typeName: '.shop.Item.StockEntry',
            repeated: true,
          },
          { name: 'maker', number: 8, type: Scalar.MESSAGE, typeName: '.shop.Item' },
          { name: 'at', number: 9, type: Scalar.MESSAGE, typeName: '.google.protobuf.Timestamp' },
          { name: 'details', number: 10, type: Scalar.MESSAGE, typeName: '.google.protobuf.Any' },
          { name: 'limit', number: 11, type: Scalar.MESSAGE, typeName: '.google.protobuf.Int32Value' },
          { name: 'sold', number: 12, type: Scalar.BOOL },
          { name: 'weight', number: 13, type: Scalar.FLOAT },
          { name: 'code', number: 14, type: Scalar.BYTES },
          { name: 'lasts', number: 15, type: Scalar.MESSAGE, typeName: '.google.protobuf.Duration' },
        ],
        [
          [
            3,
            messageType(
              'StockEntry',
              [
                { name: 'key', number: 1, type: Scalar.STRING },
                { name: 'value', number: 2, type: Scalar.INT32 },
              ],
              [[7, [[7, true]]]],
            ),
          ],
        ],
      ),
    ],
    more: [
      [
        5,
        [
          [1, 'State'],
          [
            2,
            [
              [1, 'NEW'],
              [2, 0],
            ],
          ],
          [
            2,
            [
              [1, 'GONE'],
              [2, 1],
            ],
          ],
          [
            2,
            [
              [1, 'LOST'],
              [2, 1],
            ],
          ],
        ],
      ],
      [
        6,
        [
          [1, 'Shop'],
          [
            2,
            [
              [1, 'Get'],
              [2, '.shop.Item'],
              [3, '.shop.Item'],
            ],
          ],
          [
            2,
            [
              [1, 'List'],
              [2, '.shop.Item'],
              [3, '.shop.Item'],
              [6, true],
            ],
          ],
        ],
      ],
    ],
  },
);
const descriptors = Descriptors.read(shop);

const itemOf = (bytes: Buffer): unknown => {
  const alone = new ProtobufPair(descriptors, descriptors.message('shop.Item'));
  return plain(alone.documents(alone.parse([bytes]))[0]);
};
const empty = { tags: [], sizes: [], stock: {} };

t.test('with a type, fields have names and values have types', async (t) => {
  const bytes = Buffer.concat([
    message(
      [1, 'book'],
      [3, 0],
      [4, 'a'],
      [4, 'b'],
      [6, 1],
      [
        7,
        [
          [1, 'x'],
          [2, 3],
        ],
      ],
      [7, [[1, 'y']]],
    ),
    double(2, 9.5),
    packed(5, 1, 2, 3),
    message(
      [8, [[1, 'maker']]],
      [
        9,
        [
          [1, 1_764_516_398],
          [2, 500_000_000],
        ],
      ],
      [11, []],
      [12, true],
    ),
    float(13, 0.1),
    message(
      [14, Buffer.from([0, 255])],
      [
        15,
        [
          [1, -1],
          [2, -500_000_000],
        ],
      ],
    ),
  ]);
  t.strictSame(itemOf(bytes), {
    name: 'book',
    price: 9.5,
    stars: 0,
    tags: ['a', 'b'],
    sizes: [-1, 1, -2],
    state: 'GONE',
    stock: { x: 3, y: 0 },
    maker: { name: 'maker', ...empty },
    at: '2025-11-30T15:26:38.5Z',
    limit: 0,
    sold: true,
    weight: 0.1,
    code: '0x00ff',
    lasts: '-1.5s',
  });
  t.strictSame(itemOf(message([6, 7])), { ...empty, state: 7 }, 'a value that the enum lacks');
  t.strictSame(
    itemOf(message([9, [[1, -1]]])),
    { ...empty, at: '1969-12-31T23:59:59Z' },
    'times before 1970',
  );
});

t.test('Any is its content where its type is known, and bytes where it is not', async (t) => {
  const any = (url: string, value: Buffer) =>
    itemOf(
      message([
        10,
        [
          [1, url],
          [2, value],
        ],
      ]),
    );
  t.strictSame(any('type.googleapis.com/shop.Item', message([1, 'inner'], [99, 1])), {
    ...empty,
    details: { '@type': 'type.googleapis.com/shop.Item', name: 'inner', ...empty, 99: 1 },
  });
  t.strictSame(any('type.googleapis.com/google.protobuf.Timestamp', message([1, 0])), {
    ...empty,
    details: { '@type': 'type.googleapis.com/google.protobuf.Timestamp', value: '1970-01-01T00:00:00Z' },
  });
  t.strictSame(any('type.googleapis.com/other.Type', Buffer.from([8])), {
    ...empty,
    details: { '@type': 'type.googleapis.com/other.Type', value: '0x08' },
  });
});

t.test('what can be written in two ways is one document', async (t) => {
  const same = (a: Buffer, b: Buffer, name: string) => t.strictSame(itemOf(a), itemOf(b), name);
  same(message([1, ''], [6, 0], [12, false]), message(), 'a default and a missing field');
  same(double(2, 0), message(), 'a default in 8 bytes');
  same(packed(5, 1, 2), message([5, 1], [5, 2]), 'packed and not');
  same(Buffer.concat([packed(5, 1), message([5, 2])]), packed(5, 1, 2), 'packed in part');
  same(
    message([8, [[1, 'a']]], [8, [[4, 'b']]]),
    message([
      8,
      [
        [1, 'a'],
        [4, 'b'],
      ],
    ]),
    'a message in pieces',
  );
  same(message([1, 'a'], [1, 'b']), message([1, 'b']), 'the last value counts');
  same(
    message([
      7,
      [
        [2, 1],
        [1, 'k'],
      ],
    ]),
    message([
      7,
      [
        [1, 'k'],
        [2, 1],
      ],
    ]),
    'the order in an entry',
  );
  same(
    message(
      [
        7,
        [
          [1, 'k'],
          [2, 1],
        ],
      ],
      [
        7,
        [
          [1, 'k'],
          [2, 2],
        ],
      ],
    ),
    message([
      7,
      [
        [1, 'k'],
        [2, 2],
      ],
    ]),
    'an entry twice',
  );
  t.strictNotSame(itemOf(message([3, 0])), itemOf(message()), 'but presence is kept where a field has it');
});

t.test('fields that the type does not know are kept by number', async (t) => {
  t.strictSame(itemOf(message([1, 'a'], [50, 'new'], [51, [[1, 'b']]])), {
    name: 'a',
    ...empty,
    50: 'new',
    51: { 1: 'b' },
  });
  t.strictSame(itemOf(message([2, 5])), { ...empty, 2: 5 }, 'a field of another wire type');
});

const editions = (features: readonly Part[], ofField: readonly Part[] | null = null) =>
  Descriptors.read(
    descriptorSet({
      pkg: 'e',
      syntax: 'editions',
      messages: [
        messageType('M', [
          {
            name: 'n',
            number: 1,
            type: Scalar.INT32,
            ...(ofField === null ? {} : { options: [[21, ofField]] }),
          },
        ]),
      ],
      more: [[14, 1000], ...(features.length > 0 ? ([[8, [[50, features]]]] as const) : [])],
    }),
  );

t.test('presence follows syntax and editions', async (t) => {
  const presence = (set: Descriptors) => set.message('e.M')!.fields.get(1)!.hasPresence;
  const of = (syntax?: string) =>
    Descriptors.read(
      descriptorSet({
        pkg: 'e',
        ...(syntax === undefined ? {} : { syntax }),
        messages: [messageType('M', [{ name: 'n', number: 1, type: Scalar.INT32 }])],
      }),
    );
  t.equal(presence(of()), true, 'proto2');
  t.equal(presence(of('proto3')), false, 'proto3');
  t.equal(presence(editions([])), true, 'edition 2023');
  t.equal(presence(editions([[1, 2]])), false, 'implicit for the file');
  t.equal(presence(editions([[1, 2]], [[1, 1]])), true, 'explicit for the field');
});

t.test('a set that can not be used says why', async (t) => {
  const faultOf = (bytes: Buffer): string => {
    try {
      Descriptors.read(bytes);
      return '';
    } catch (error) {
      if (error instanceof DescriptorFault) return error.message;
      throw error;
    }
  };
  t.equal(faultOf(Buffer.alloc(0)), 'it describes no file');
  t.equal(faultOf(Buffer.from('syntax = "proto3";')), 'it is not a FileDescriptorSet');
  const lacks = descriptorSet({
    pkg: 'a',
    messages: [messageType('M', [{ name: 'n', number: 1, type: Scalar.MESSAGE, typeName: '.b.N' }])],
  });
  t.equal(faultOf(lacks), 'it lacks the type b.N: write it with --include_imports');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      // Random bytes are a fault or, seldom, a set; nothing else is thrown.
      faultOf(Buffer.from(bytes));
    }),
    { numRuns: 200 },
  );
});

// --- without a type

const pairOf = (a: Buffer, b: Buffer): readonly [unknown, unknown] => {
  const pair = new ProtobufPair(null, null);
  const [left, right] = [pair.parse([a]), pair.parse([b])];
  return [plain(pair.documents(left)[0]), plain(pair.documents(right)[0])];
};

t.test('without a type, both sides decide together what a field is', async (t) => {
  t.strictSame(pairOf(message([4, '(!']), message([4, [[1, 'a']]])), [{ 4: { 5: 33 } }, { 4: { 1: 'a' } }]);
  t.strictSame(pairOf(message([4, '(!']), message([4, 'abc'])), [{ 4: '(!' }, { 4: 'abc' }]);
  t.strictSame(
    pairOf(message([4, 'abc']), message([4, Buffer.from([0, 1, 255])])),
    [{ 4: '0x616263' }, { 4: '0x0001ff' }],
    'bytes',
  );
  t.strictSame(pairOf(message([2, 1], [2, 2]), message([2, 1])), [{ 2: [1, 2] }, { 2: [1] }], 'lists');
  t.strictSame(pairOf(message([2, 1], [2, 2]), message()), [{ 2: [1, 2] }, { 2: [] }]);
  t.strictSame(
    pairOf(packed(2, 1, 300), message([2, 1], [2, 300])),
    [{ 2: [1, 300] }, { 2: [1, 300] }],
    'packed',
  );
  t.strictSame(pairOf(double(1, 2.5), double(1, 0)), [{ 1: 2.5 }, { 1: 0 }], 'fractions');
  t.strictSame(pairOf(float(1, 0.1), float(1, -7)), [{ 1: 0.1 }, { 1: -7 }]);
  const fixed = Buffer.from([0x09, 5, 0, 0, 0, 0, 0, 0, 0]);
  t.strictSame(pairOf(fixed, fixed), [{ 1: 5 }, { 1: 5 }], 'integers in 8 bytes');
  t.strictSame(plain(parseProtobuf(message([1, -1]))), { 1: -1 });
  t.strictSame(plain(parseProtobuf(message([1, '']))), { 1: '' });
});

const part: fc.Arbitrary<Part> = fc.letrec<{ part: Part; value: Part[1] }>((tie) => ({
  part: fc.tuple(fc.integer({ min: 1, max: 20 }), tie('value')) as fc.Arbitrary<Part>,
  value: fc.oneof(
    { depthSize: 'small' },
    fc.nat(),
    fc.string(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('part')) as unknown as fc.Arbitrary<Part[1]>,
  ),
})).part;
const parts = fc.array(part, { maxLength: 8 });

const reasonOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    if (error instanceof JsonFault) return error.reason;
    throw error;
  }
};

t.test('any bytes are a document or a fault, and equal bytes are equal documents', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const one = Buffer.from(bytes);
      reasonOf(() => itemOf(one));
      reasonOf(() => pairOf(one, one));
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(parts, (some) => {
      const bytes = message(...some);
      const [left, right] = pairOf(bytes, bytes);
      return JSON.stringify(left) === JSON.stringify(right);
    }),
  );
});

t.test('another order of different fields is the same document', async () => {
  fc.assert(
    fc.property(parts, fc.nat(), (some, seed) => {
      const unique = [...new Map(some).entries()];
      const moved = [...unique].sort(([a], [b]) => ((a * 7919 + seed) % 31) - ((b * 7919 + seed) % 31));
      const sorted = (value: unknown): unknown =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.entries(value)
              .sort(([a], [b]) => Number(a) - Number(b))
              .map(([name, member]) => [name, sorted(member)])
          : value;
      const [left, right] = pairOf(message(...unique), message(...moved));
      return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
    }),
  );
});

t.test('nesting and numbers of values are bounded', async (t) => {
  let deep = message([1, 1]);
  for (let i = 0; i < 2000; i++) deep = message([8, deep]);
  t.equal(
    reasonOf(() => itemOf(deep)),
    'too-deep',
  );
  t.ok(JSON.stringify(pairOf(deep, deep)).includes('0x'), 'without a type, what is too deep is bytes');
  t.equal(
    reasonOf(() => parseProtobuf(Buffer.alloc(1_000_000, Buffer.from([8, 1])))),
    'too-many-values',
  );
});

// --- whole responses

const shared = new SharedArrayBuffer(shop.length);
new Uint8Array(shared).set(shop);

function comparerOf(protobuf: ProtobufPlan | null, rules: readonly PathRulePlan[] = []): Comparer {
  const structure = { ignoreHeaders: [], ignorePaths: [], tolerance: exact, arrays: 'ordered' as const };
  return new Comparer({ structure: { ...structure, rules, protobuf }, redact: redactNothingMore });
}
const named = comparerOf({ descriptors: shared, digest: 'shop' });

const grpc = (messages: readonly Buffer[], head = 'grpc-status: 0', type = 'application/grpc') => ({
  status: 200,
  head: Buffer.from(`200 OK\r\ncontent-type: ${type}\r\n${head}`),
  body: Buffer.concat(messages.map(framedMessage)),
  truncated: false,
});

t.test('a field that changed is named, by name with a descriptor set and by number without', async (t) => {
  const [a, b] = [message([1, 'book'], [3, 4]), message([1, 'book'], [3, 5])];
  const { differences } = named.compare(grpc([a]), grpc([b]), '/shop.Shop/Get');
  t.match(differences, [{ kind: 'json', path: '$[*].stars', change: 'value', primary: 4, shadow: 5 }]);
  t.match(named.compare(grpc([a]), grpc([b]), '/below/shop.Shop/List').differences, [{ path: '$[*].stars' }]);
  t.match(named.compare(grpc([a]), grpc([b]), '/shop.Shop/Other').differences, [{ path: "$[*]['3']" }]);
  t.match(comparerOf(null).compare(grpc([a]), grpc([b]), '/shop.Shop/Get').differences, [
    { path: "$[*]['3']" },
  ]);
});

t.test('rules hold for fields by their names', async (t) => {
  const rule = {
    path: '$[*].price',
    ignore: false,
    tolerance: { relative: false, value: '0.01' },
    unordered: false,
    key: null,
    matches: null,
    equivalent: null,
  };
  const near = comparerOf({ descriptors: shared, digest: 'shop' }, [rule]);
  t.strictSame(
    near.compare(grpc([double(2, 1)]), grpc([double(2, 1.005)]), '/shop.Shop/Get').differences,
    [],
  );
  t.match(near.compare(grpc([double(2, 1)]), grpc([double(2, 1.05)]), '/shop.Shop/Get').differences, [
    { path: '$[*].price' },
  ]);
});

t.test('streams are compared message by message, compressed or not', async (t) => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => message([1, name]));
  const { differences } = named.compare(grpc([one!, two!, three!]), grpc([one!, three!]), '/shop.Shop/List');
  t.match(differences, [{ path: '$[*]', change: 'missing', at: '$[1]' }]);
  const zipped = framedMessage(gzipSync(one!));
  zipped[0] = 1;
  const side = grpc([], 'grpc-encoding: gzip\r\ngrpc-status: 0');
  const found = named.compare(grpc([one!]), { ...side, body: zipped }, '/shop.Shop/Get');
  t.notMatch(found.differences, [{ kind: 'json' }]);
  t.match(
    named.compare(grpc([one!]), { ...grpc([]), body: zipped }, '/shop.Shop/Get').differences,
    [{ kind: 'not-comparable', path: 'invalid-encoding' }],
    'a message that is compressed by nothing that the head names',
  );
  t.match(
    named.compare(grpc([one!]), { ...grpc([]), body: Buffer.from('<html>') }, '/shop.Shop/Get').differences,
    [{ kind: 'not-comparable', path: 'invalid-document' }],
  );
});

t.test('the trailers of gRPC-Web are compared behind its messages', async (t) => {
  const web = (message: Buffer, status: number) => {
    const trailers = framedMessage(Buffer.from(`grpc-status: ${status}\r\n`));
    trailers[0] = 0x80;
    const body = Buffer.concat([framedMessage(message), trailers]);
    return { ...grpc([], 'x: y', 'application/grpc-web+proto'), body };
  };
  const [a, b] = [message([3, 4]), message([3, 5])];
  t.match(named.compare(web(a, 0), web(b, 0), '/shop.Shop/Get').differences, [{ path: '$[*].stars' }]);
  t.match(named.compare(web(a, 0), web(a, 5), '/shop.Shop/Get').differences, [{ path: '$[*]', at: '$[1]' }]);
});

t.test('JSON in gRPC, and messages whose content type names their type', async (t) => {
  const json = (text: string) => grpc([Buffer.from(text)], 'grpc-status: 0', 'application/grpc+json');
  t.match(named.compare(json('{"a":1}'), json('{"a":2}'), '/x.Y/Z').differences, [{ path: '$[*].a' }]);
  const proto = (bytes: Buffer, parameters: string) => ({
    ...grpc([], 'x: y', `application/x-protobuf; ${parameters}`),
    body: bytes,
  });
  const [a, b] = [message([3, 4]), message([3, 5])];
  for (const [parameters, path] of [
    ['messageType="shop.Item"', '$.stars'],
    ['proto=shop.Item', '$.stars'],
    ['a=b', "$['3']"],
  ] as const) {
    t.match(
      named.compare(proto(a, parameters), proto(b, parameters), '/').differences,
      [{ path }],
      parameters,
    );
  }
  const many = (bytes: Buffer) => Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const list = 'proto=shop.Item; encoding=delimited';
  t.match(named.compare(proto(many(a), list), proto(many(b), list), '/').differences, [
    { path: '$[*].stars' },
  ]);
});
