import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Comparer } from '../../../core/compare/compare.js';
import { exact } from '../../../core/compare/decimal.js';
import type { Difference } from '../../../core/compare/difference.js';
import { limits } from '../../../core/limits.js';
import { redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';

const comparer = new Comparer({
  structure: {
    ignoreHeaders: ['x-ignored'],
    ignorePaths: ['$.ignored'],
    tolerance: exact,
    arrays: 'ordered',
    rules: [],
    protobuf: null,
  },
  redact: redactNothingMore,
});

interface Told {
  status?: number;
  fields?: string[];
  body?: string | Buffer;
  truncated?: boolean;
}

function side({
  status = 200,
  fields = ['content-type: application/json'],
  body = '',
  truncated = false,
}: Told) {
  return {
    status,
    head: Buffer.from([`${status} OK`, ...fields].join('\r\n')),
    body: Buffer.from(body),
    truncated,
  };
}

function diff(primary: Told, shadow: Told): readonly Difference[] {
  return comparer.compare(side(primary), side(shadow), '/').differences;
}

t.test('another status is another answer: nothing else of it is compared', async (t) => {
  t.strictSame(diff({ body: '{}' }, { status: 503, fields: [], body: 'no' }), [
    { kind: 'status', path: '200 503', change: 'value', at: '200 503', primary: 200, shadow: 503 },
  ]);
});

t.test('fields are compared by name, without order, and shown without secrets', async (t) => {
  t.strictSame(
    diff({ fields: ['a: 1', 'B: 2', 'date: x', 'x-ignored: 1'] }, { fields: ['b: 2', 'A: 1', 'date: y'] }),
    [],
  );
  t.match(diff({ fields: ['a: 1'] }, { fields: ['a: 2', 'c: 3'] }), [
    { kind: 'header', path: 'a', change: 'value', primary: '1', shadow: '2' },
    { kind: 'header', path: 'c', change: 'extra', primary: undefined, shadow: '3' },
  ]);
  t.match(diff({ fields: ['a: 1', 'a: 2'] }, { fields: ['a: 2', 'a: 1'] }), [{ path: 'a', primary: '1, 2' }]);
});

t.test('a body is compared by what its type says that it is', async (t) => {
  const found = (type: string, a: string | Buffer, b: string | Buffer) =>
    diff({ fields: [`content-type: ${type}`], body: a }, { fields: [`content-type: ${type}`], body: b }).map(
      ({ kind, path, change }) => `${kind} ${path} ${change}`,
    );
  t.strictSame(found('application/json', '{"a":1,"ignored":1}', '{"a":2,"ignored":2}'), ['json $.a value']);
  t.strictSame(found('Application/Problem+JSON; charset=utf-8', '{"a":1}', '{"a":"1"}'), ['json $.a type']);
  t.strictSame(found('text/plain', 'one\ntwo a', 'one\ntwo b'), ['text two … value']);
  t.strictSame(found('text/html', '<p id=a>x</p>', '<p id=a>y</p>'), ['markup /p#a/text() value']);
  t.strictSame(found('image/svg+xml', '<svg a="1"/>', '<svg a="2"/>'), ['markup /svg/@a value']);
  t.strictSame(found('application/x-ndjson', '{"a":1}\n{"a":2}', '{"a":1}'), ['json $[*] missing']);
  t.strictSame(found('text/event-stream', 'data: {"a":1}\n\n', 'data: {"a":2}\n\n'), [
    'json $[*].data.a value',
  ]);
  t.strictSame(found('application/cbor', Buffer.from('a1616101', 'hex'), Buffer.from('a1616102', 'hex')), [
    'json $.a value',
  ]);
  t.strictSame(found('application/octet-stream', 'abc', 'abd'), ['binary bytes 0-63 value']);
  const part = (value: number) => `--b\r\ncontent-type: application/json\r\n\r\n{"v":${value}}\r\n--b--`;
  t.strictSame(found('multipart/mixed; boundary=b', part(1), part(2)), ['json $[*].body.v value']);
  t.strictSame(found('application/msgpack', Buffer.from([0x81, 0xa1, 0x61, 1]), Buffer.from([0xc1])), [
    'not-comparable invalid-document value',
  ]);
});

t.test('the same document in another coding or another spelling is equal', async (t) => {
  const zipped = {
    fields: ['content-type: application/json', 'content-encoding: gzip'],
    body: gzipSync('{"a": 1}'),
  };
  t.strictSame(diff({ body: '{"a":1}' }, zipped), []);
  t.strictSame(diff({ body: '{"a":1, "b":2}' }, { body: '{"b":2.0,"a":1}' }), []);
});

t.test('a body that can not be compared is reported with its reason for each side', async (t) => {
  t.match(diff({ body: '{}' }, { body: 'x' }), [
    { kind: 'not-comparable', path: 'invalid-json', primary: 'ok', shadow: 'invalid-json' },
  ]);
  t.match(diff({ body: '{}' }, { body: '{}', truncated: true }), [{ path: 'too-large' }]);
  t.match(diff({ body: '{}' }, {}), [{ path: 'empty', primary: 'ok', shadow: 'empty' }]);
  t.strictSame(diff({ body: 'x' }, { body: 'x' }), [], 'what is the same needs not be understood');
});

t.test('a pair has a bounded number of groups, each once', async (t) => {
  const all = limits.pairDifferences + 36;
  const many = (value: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: all }, (_, i) => [`k${i}`, value])));
  const { differences, more } = comparer.compare(side({ body: many(1) }), side({ body: many(2) }), '/');
  t.equal(differences.length, limits.pairDifferences);
  t.equal(more, 36);
  t.equal(diff({ body: '[1,2,3]' }, { body: '[4,5,6]' }).length, 1);
});

t.test('whatever the bytes are, a comparison ends', async () => {
  const told = fc.record({
    status: fc.constantFrom(200, 500),
    fields: fc.array(
      fc.constantFrom(
        'content-type: application/json',
        'content-type: text/x',
        'content-encoding: gzip',
        ': :',
        'a',
        'x: y',
      ),
    ),
    body: fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text)),
    truncated: fc.boolean(),
  });
  fc.assert(
    fc.property(told, told, (primary, shadow) => {
      comparer.compare(side(primary), side(shadow), '/');
      return comparer
        .compare(side(primary), side({ ...primary, truncated: primary.truncated }), '/')
        .differences.every(({ kind }) => kind === 'not-comparable');
    }),
    { numRuns: 1000 },
  );
});
