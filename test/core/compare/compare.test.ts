import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { Comparer } from '../../../core/compare/compare.js';
import { exact } from '../../../core/compare/decimal.js';
import type { Difference } from '../../../core/compare/difference.js';
import { limits } from '../../../core/limits.js';
import { redactNothingMore } from '../../../core/redact.js';

const comparer = new Comparer({
  structure: {
    ignoreHeaders: ['x-ignored'],
    ignorePaths: ['$.ignored'],
    tolerance: exact,
    arrays: 'ordered',
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
  return comparer.compare(side(primary), side(shadow)).differences;
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
    { kind: 'header', path: 'a', primary: '1', shadow: '2' },
    { kind: 'header', path: 'c', primary: undefined, shadow: '3' },
  ]);
  t.match(diff({ fields: ['a: 1', 'a: 2'] }, { fields: ['a: 2', 'a: 1'] }), [{ path: 'a', primary: '1, 2' }]);
  t.match(diff({ fields: ['set-cookie: a=1'] }, { fields: ['set-cookie: a=2'] }), [
    { primary: '[redacted]', shadow: '[redacted]' },
  ]);
});

t.test('JSON is compared by place, text and bytes by where they begin to differ', async (t) => {
  t.match(diff({ body: '{"a":1,"ignored":1}' }, { body: '{"a":2,"ignored":2}' }), [
    { kind: 'json', path: '$.a' },
  ]);
  const plain = ['content-type: text/plain'];
  t.match(diff({ fields: plain, body: 'one\ntwo' }, { fields: plain, body: 'one\ntoo' }), [
    { kind: 'text', path: '', at: 'line 2, column 2', primary: 'one\ntwo', shadow: 'one\ntoo' },
  ]);
  const image = ['content-type: image/png'];
  t.match(diff({ fields: image, body: 'abc' }, { fields: image, body: 'abde' }), [
    { kind: 'binary', at: 'byte 2', primary: '3 bytes, from there 63', shadow: '4 bytes, from there 6465' },
  ]);
});

t.test('the same document in another coding or another spelling is equal', async (t) => {
  const zipped = {
    fields: ['content-type: application/json', 'content-encoding: gzip'],
    body: gzipSync('{"a": 1}'),
  };
  t.match(diff({ body: '{"a":1}' }, zipped), [{ kind: 'header', path: 'content-encoding' }]);
  t.strictSame(diff({ body: '{"a":1, "b":2}' }, { body: '{"b":2.0,"a":1}' }), []);
});

t.test('a body that can not be compared is told with its reason for each side', async (t) => {
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
  const { differences, more } = comparer.compare(side({ body: many(1) }), side({ body: many(2) }));
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
      comparer.compare(side(primary), side(shadow));
      return comparer
        .compare(side(primary), side({ ...primary, truncated: primary.truncated }))
        .differences.every(({ kind }) => kind === 'not-comparable');
    }),
    { numRuns: 1000 },
  );
});
