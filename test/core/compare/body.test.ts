import * as zlib from 'node:zlib';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { bodyTypeOf, decodeBody, decodeText } from '../../../core/compare/body.js';
import t from '../../support/tap.js';

const text = Buffer.from('{"a":1}');
const zstd = (zlib as unknown as { zstdCompressSync?: (bytes: Buffer) => Buffer }).zstdCompressSync;

/** Why it throws. */
function reasonOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return (error as { reason?: unknown }).reason;
  }
  return null;
}

t.test('codings are undone, also several of them', async (t) => {
  t.strictSame(Buffer.from(decodeBody(text, '')), text);
  t.strictSame(Buffer.from(decodeBody(text, 'identity')), text);
  t.strictSame(decodeBody(gzipSync(text), 'gzip'), text);
  t.strictSame(decodeBody(gzipSync(text), 'X-GZip'), text);
  t.strictSame(decodeBody(brotliCompressSync(text), 'br'), text);
  t.strictSame(decodeBody(deflateSync(text), 'deflate'), text);
  t.strictSame(decodeBody(deflateRawSync(text), 'deflate'), text, 'raw, as some send it');
  t.strictSame(decodeBody(brotliCompressSync(gzipSync(text)), 'gzip, br'), text);
});

t.test(
  'zstd is undone where Node has it',
  { skip: zstd === undefined && 'this Node has no zstd' },
  async (t) => {
    t.strictSame(decodeBody(zstd!(text), 'zstd'), text);
  },
);

t.test('what can not be undone is a reason', async (t) => {
  const bomb = Buffer.alloc(64 * 1024 * 1024);
  const refuses = (bytes: Uint8Array, coding: string, reason: string) =>
    t.equal(
      reasonOf(() => decodeBody(bytes, coding)),
      reason,
      `${coding} ${reason}`,
    );
  refuses(gzipSync(bomb), 'gzip', 'decoded-too-large');
  refuses(brotliCompressSync(bomb), 'br', 'decoded-too-large');
  refuses(gzipSync(gzipSync(bomb)), 'gzip, gzip', 'decoded-too-large');
  refuses(gzipSync(text).subarray(0, -3), 'gzip', 'invalid-encoding');
  refuses(text, 'gzip', 'invalid-encoding');
  refuses(text, 'br', 'invalid-encoding');
  refuses(text, 'deflate', 'invalid-encoding');
  refuses(text, 'compress', 'unknown-encoding');
  refuses(text, 'gzip, gzip, gzip, gzip', 'unknown-encoding');
});

t.test('a body is what its type says', async (t) => {
  t.equal(bodyTypeOf('application/json; charset=utf-8'), 'json');
  t.equal(bodyTypeOf('Application/Problem+JSON'), 'json');
  t.equal(bodyTypeOf('text/html'), 'text');
  t.equal(bodyTypeOf('image/svg+xml'), 'text');
  t.equal(bodyTypeOf('image/png'), 'binary');
  t.equal(bodyTypeOf(''), 'binary');
});

t.test('text is read in its character set, or not at all', async (t) => {
  t.equal(decodeText(Buffer.from([0xe9]), 'text/plain; charset="iso-8859-1"'), 'é');
  t.equal(decodeText(Buffer.from('é'), 'text/plain'), 'é');
  t.equal(
    reasonOf(() => decodeText(Buffer.from([0xff]), 'text/plain')),
    'invalid-utf8',
  );
  t.equal(
    reasonOf(() => decodeText(Buffer.from('a'), 'text/plain; charset=nonsense')),
    'invalid-utf8',
  );
});
