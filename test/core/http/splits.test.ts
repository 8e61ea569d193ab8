import fc from 'fast-check';
import t from '../../support/tap.js';
import { read } from './reading.js';

/** Messages whose parts come from here hit every state of the reader, valid and not. */
const lines = fc.constantFrom(
  'A: b\r\n',
  'Date: now\r\n',
  'X : y \r\n',
  'Connection: close\r\n',
  'Connection: a, keep-alive\r\n',
  'Set-Cookie: a=b; c\r\n',
  'Keep-Alive: 5\r\n',
  'Bad Name: x\r\n',
  'Bad: x\x00y\r\n',
  ' fold\r\n',
  'Bare: lf\n',
);
const framings = fc.constantFrom(
  ['Content-Length: 5\r\n', 'hello'],
  ['Content-Length: 5, 5\r\n', 'hello'],
  ['Content-Length: 5\r\n', 'hello and more'],
  ['Content-Length: 9\r\n', 'cut'],
  ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  ['Transfer-Encoding: chunked\r\n', '5;x\r\nhello\r\n3\r\nyou\r\n0\r\nT: v\r\n\r\n'],
  ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\nexcess'],
  ['Transfer-Encoding: chunked\r\n', '5\r\nhelloX'],
  ['Transfer-Encoding: chunked\r\n', '5\r\nhel'],
  ['', 'until the end'],
);
const status = fc.constantFrom('200 OK', '204 ', '304 Not Modified', '500', '101 x', '20 x');
const interim = fc.constantFrom('', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 x\r\nLink: a\r\n\r\n');
const message = fc
  .tuple(interim, status, fc.array(lines, { maxLength: 4 }), framings)
  .map(
    ([before, code, fields, [framing, body]]) =>
      `${before}HTTP/1.1 ${code}\r\n${fields.join('')}${framing}\r\n${body}`,
  );

t.test('a response cut anywhere is read as the whole one is', async () => {
  fc.assert(
    fc.property(message, fc.array(fc.nat(200), { maxLength: 12 }), fc.boolean(), (text, cuts, toHead) => {
      const { fed: wholeFed, ...whole } = read(text, [], toHead);
      const { fed, ...pieces } = read(text, cuts, toHead);
      same(pieces, whole);
      // In pieces, bytes after the end may lie in a piece that is never fed.
      same(fed.replace('EXCESS', 'WHOLE'), wholeFed.replace('EXCESS', 'WHOLE'));
    }),
    { numRuns: 1500 },
  );
});

t.test('a response that comes byte by byte is read as the whole one is', async () => {
  fc.assert(
    fc.property(message, (text) => {
      const everywhere = Array.from({ length: text.length }, (_, i) => i);
      same(read(text, everywhere), read(text));
    }),
    { numRuns: 300 },
  );
});

t.test('no bytes at all throw, and nothing is delivered after a refusal', async () => {
  const noise = fc.array(
    fc.constantFrom(
      '\r\n',
      '\r',
      '\n',
      ' ',
      ':',
      'HTTP/1.1 200 OK\r\n',
      'A',
      '0',
      '5',
      ';',
      ',',
      '\x00',
      '\xff',
    ),
    {
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(noise, fc.array(fc.nat(100)), (parts, cuts) => {
      const reading = read(`HTTP/1.1 200 OK\r\n${parts.join('')}`, cuts);
      if (reading.fed === 'REFUSED') same(reading.ended, false);
    }),
    { numRuns: 1500 },
  );
});

function same(actual: unknown, expected: unknown): void {
  const a = JSON.stringify(actual);
  const b = JSON.stringify(expected);
  if (a !== b) throw new Error(`${a}\nis not\n${b}`);
}
