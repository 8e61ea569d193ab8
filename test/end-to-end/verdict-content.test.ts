// Runs over one engine: pairs are made and compared behind the engines.
/**
 * Answers that are wrong behind noise, and answers that are equal but for noise, side by side behind one
 * umbra.
 */

import { type ContentRow, equalRow, json, judgeRows, token, typed } from '../support/content-rows.js';
import type { Answer } from '../support/origin.js';
import t from '../support/tap.js';

const cookie =
  (attributes: string): Answer =>
  (_, response) =>
    response.writeHead(200, { 'set-cookie': `sid=${token()}; Path=/${attributes}` }).end('ok');
const many = (count: number, value: () => unknown): Answer =>
  json(() => Object.fromEntries(Array.from({ length: count }, (_, i) => [`field${i}`, value()])));
const page = (): string =>
  `<html><head><script nonce="${token()}"></script></head><body><h1>Hello</h1></body></html>`;
const withToken = json(() => ({ price: 1, token: token() }));
const wrong = (name: string, v1: Answer, v2: Answer, writes = false): ContentRow => {
  return { name, v1, v2, isWrong: true, writes };
};

t.test(
  'answers that are wrong fail behind any noise, and equal answers never do',
  { timeout: 110_000 },
  (t) =>
    judgeRows(t, [
      wrong(
        'error-page',
        typed('text/html', page),
        typed('text/html', () => `Internal error ${token()}`),
      ),
      wrong(
        'token-null',
        withToken,
        json(() => ({ price: 1, token: null })),
      ),
      wrong(
        'token-missing',
        withToken,
        json(() => ({ price: 1 })),
      ),
      wrong(
        'token-constant',
        withToken,
        json(() => ({ price: 1, token: 'aaaaaaaaaaaa' })),
      ),
      wrong('lost-http-only', cookie('; HttpOnly'), cookie('')),
      wrong(
        'wrong-posts',
        json((_, method) => ({ stock: method === 'POST' ? 5 : Math.random() })),
        json((_, method) => ({ stock: method === 'POST' ? 6 : Math.random() })),
        true,
      ),
      wrong(
        'one-endpoint-wrong',
        json((target) => ({ rank: target.includes('noisy') ? Math.random() : 1 })),
        json((target) => ({ rank: target.includes('noisy') ? Math.random() : 2 })),
      ),
      equalRow('page', typed('text/html', page)),
      equalRow(
        'one-boolean',
        json(() => ({ on: Math.random() < 0.5 })),
      ),
      equalRow(
        'booleans',
        many(20, () => Math.random() < 0.5),
      ),
      equalRow('noisy-fields', many(12, token)),
      equalRow(
        'timestamps',
        many(65, () => Date.now() + Math.random()),
      ),
      equalRow('two-hundred-noisy-fields', many(200, token)),
    ]),
);
