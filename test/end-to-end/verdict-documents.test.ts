// Runs over one engine: pairs are made and compared behind the engines.
/** Answers of every kind that has places, and answers that rules or HTTP make equal. */
import { gzipSync } from 'node:zlib';
import { type ContentRow, equalRow, json, judgeRows, token, typed } from '../support/content-rows.js';
import type { Answer } from '../support/origin.js';
import t from '../support/tap.js';

const names = ['anna', 'ben', 'cleo', 'dora', 'emil'];

/** A form of body with a value that never repeats, and one that v2 gets wrong. */
function form(
  name: string,
  type: string,
  body: (price: number, noise: string) => string | Buffer,
): ContentRow[] {
  const version = (price: number): Answer => typed(type, () => body(price, token()));
  return [{ name, v1: version(1), v2: version(2), isWrong: true }, equalRow(`${name}-equal`, version(1))];
}

const part = (name: string, value: string | number): string =>
  `--edge\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const bytes = (...parts: (number | string)[]): Buffer =>
  Buffer.concat(parts.map((one) => (typeof one === 'number' ? Buffer.of(one) : Buffer.from(one))));
/** MessagePack: a map of `price` and `id`. */
const msgpack = (price: number, noise: string): Buffer =>
  bytes(0x82, 0xa5, 'price', price, 0xa2, 'id', 0xa0 + noise.length, noise);
/** CBOR: the same map. */
const cbor = (price: number, noise: string): Buffer =>
  bytes(0xa2, 0x65, 'price', price, 0x62, 'id', 0x60 + noise.length, noise);
/** Protobuf: field 1 is a number and field 2 a text. */
const protobuf = (price: number, noise: string): Buffer => bytes(0x08, price, 0x12, noise.length, noise);
const short = (noise: string): string => noise.slice(0, 12);

t.test('a wrong value has its place in documents of every kind', { timeout: 110_000 }, (t) =>
  judgeRows(t, [
    ...form('ndjson', 'application/x-ndjson', (price, id) => `{"id":"${id}"}\n{"price":${price}}\n`),
    ...form('events', 'text/event-stream', (price, id) => `id: ${id}\ndata: {"price":${price}}\n\n`),
    ...form(
      'multipart',
      'multipart/form-data; boundary=edge',
      (price, id) => `${part('id', id)}${part('price', price)}--edge--\r\n`,
    ),
    ...form(
      'xml',
      'application/vnd.shop+xml',
      (price, id) => `<shop id="${id}"><price v="${price}"/></shop>`,
    ),
    ...form('text', 'text/plain', (price, id) => `request ${id}\nthe price is ${price} today\n`),
    ...form('token-in-a-line', 'text/plain', (price, id) => `request ${id} costs ${price} today\n`),
    ...form('msgpack', 'application/msgpack', (price, id) => msgpack(price, short(id))),
    ...form('cbor', 'application/cbor', (price, id) => cbor(price, short(id))),
    ...form('protobuf', 'application/x-protobuf', (price, id) => protobuf(price, short(id))),
    {
      name: 'binary',
      v1: typed('image/png', () => Buffer.alloc(4096, 1)),
      v2: typed('image/png', () => Buffer.concat([Buffer.alloc(4000, 1), Buffer.alloc(96, 2)])),
      isWrong: true,
    },
  ]),
);

/** Five items in an order of their own each time. */
const shuffled = (price: number): object[] =>
  names.map((id) => ({ id, price, rank: Math.random() })).sort((a, b) => a.rank - b.rank);
const items = (price: number): Answer => json(() => ({ items: shuffled(price) }));
const byId = {
  rules: [
    { path: '$.items', key: 'id' },
    { path: '$.items[*].rank', ignore: true },
  ],
};
const order = (id: number, total: number): Answer => json(() => ({ id, total }));
const near = { rules: [{ path: '$.total', tolerance: '0.1%' }] };
const tags = (...all: string[]): Answer => json(() => ({ tags: all }));
const unordered = { rules: [{ path: '$.tags', unordered: true }] };
const trace = (id: () => string): Answer => json(() => ({ trace: id() }));
const hexTrace = { rules: [{ path: '$.trace', matches: '^[0-9a-f]{12}$' }] };
const hex = (): string => Math.random().toString(16).slice(2).padEnd(12, '0').slice(0, 12);
const state = (value: unknown): Answer => json(() => ({ state: value }));
const noneIsNull = { rules: [{ path: '$.state', equivalent: ['none', null] }] };
const headed =
  (fields: Record<string, string | string[]>, body: Buffer | string = '{"a":1}'): Answer =>
  (_, response) =>
    response.writeHead(200, fields).end(body);
const usersOf = (wrong: boolean): Answer =>
  json(() => ({
    users: { [`u${Math.floor(1e6 * Math.random())}`]: { ts: Date.now(), role: wrong ? 'admin' : 'user' } },
  }));
const pair = (name: string, v1: Answer, v2: Answer, isWrong: boolean, compare: object = {}): ContentRow => {
  return { name, v1, v2, isWrong, compare };
};

t.test('rules and HTTP make answers equal, and no wrong one with them', { timeout: 110_000 }, (t) =>
  judgeRows(t, [
    pair('key', items(1), items(1), false, byId),
    pair('key-wrong', items(1), items(2), true, byId),
    pair('tolerance', order(1_000_001, 1000), order(1_000_001, 1000.5), false, near),
    pair('tolerance-wrong', order(1_000_001, 1000), order(1_000_002, 1000), true, near),
    pair('unordered', tags('a', 'b', 'b'), tags('b', 'a', 'b'), false, unordered),
    pair('unordered-wrong', tags('a', 'b', 'b'), tags('a', 'a', 'b'), true, unordered),
    pair('order-wrong', tags('a', 'b', 'c'), tags('b', 'a', 'c'), true),
    pair('matches', trace(hex), trace(hex), false, hexTrace),
    pair(
      'matches-wrong',
      trace(hex),
      trace(() => 'none'),
      true,
      hexTrace,
    ),
    pair('equivalent', state('none'), state(null), false, noneIsNull),
    pair('equivalent-wrong', state('none'), state(0), true, noneIsNull),
    pair('type-wrong', state(1), state('1'), true),
    pair('names-that-are-data', usersOf(false), usersOf(false), false),
    pair(
      'inserted-item',
      json(() => ({ items: names })),
      json(() => ({ items: ['zoe', ...names] })),
      true,
    ),
    pair(
      'http',
      headed({
        'content-type': 'application/json; charset=utf-8; q="1"',
        etag: '"one"',
        vary: 'accept, origin',
        'cache-control': 'no-store, max-age=0',
      }),
      headed(
        {
          'content-type': 'Application/JSON;q=1;charset="UTF-8"',
          etag: '"two"',
          vary: 'Origin, Accept',
          'cache-control': 'max-age=0,no-store',
          'content-encoding': 'gzip',
        },
        gzipSync('{"a":1}'),
      ),
      false,
    ),
    pair(
      'vary-wrong',
      headed({ 'content-type': 'application/json', vary: 'accept, origin' }),
      headed({ 'content-type': 'application/json', vary: 'accept' }),
      true,
    ),
    pair(
      'same-site-wrong',
      headed({ 'set-cookie': ['sid=1; SameSite=Strict', 'lang=en'] }),
      headed({ 'set-cookie': ['lang=en', 'sid=1; SameSite=Lax'] }),
      true,
    ),
    pair(
      'order-of-cookies',
      headed({ 'set-cookie': ['sid=1; SameSite=Strict', 'lang=en'] }),
      headed({ 'set-cookie': ['lang=en', 'sid=1; SameSite=Strict'] }),
      false,
    ),
  ]),
);
