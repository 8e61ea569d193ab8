import fc from 'fast-check';
import { Framing, RequestHead } from '../../../core/http/message.js';
import {
  CopySource,
  headPayloadBytes,
  MirroredHead,
  Numbers,
  Outcome,
  writeHead,
} from '../../../core/mirror/codec.js';
import t from '../../support/tap.js';

const wireString = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 200 })
  .map((codes) => String.fromCharCode(...codes));

function sharedBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}

t.test('a head comes out of a frame as it went in, every byte value included', async () => {
  fc.assert(
    fc.property(
      fc.record({
        method: wireString,
        target: wireString,
        host: wireString,
        fields: wireString,
        neverIndexed: wireString,
      }),
      fc.constantFrom(Framing.NONE, Framing.LENGTH, Framing.CHUNKED),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.boolean(),
      fc.integer({ min: 0, max: 64 }),
      (strings, framing, contentLength, lengthZero, eights) => {
        const head = Object.assign(new RequestHead(), strings, { framing, contentLength, lengthZero });
        const source = new CopySource();
        source.take(head);
        source.offeredUs = 12345.5;
        source.orderKey = 0xfedcba98;
        const bytes = sharedBytes(2048);
        const numbers = new Numbers(bytes);
        const offset = eights * 8;
        writeHead(bytes, numbers, offset, source);

        const read = new MirroredHead();
        read.read(bytes, numbers, offset);
        return (
          read.method === strings.method &&
          read.target === strings.target &&
          read.host === strings.host &&
          read.fields === strings.fields &&
          read.neverIndexed === strings.neverIndexed &&
          read.framing === framing &&
          read.contentLength === contentLength &&
          read.lengthZero === lengthZero &&
          read.offeredUs === 12345.5 &&
          read.orderKey === 0xfedcba98
        );
      },
    ),
  );
});

t.test('a head takes exactly the payload bytes that it asks for', async (t) => {
  const head = Object.assign(new RequestHead(), {
    target: '/a',
    host: 'h',
    fields: 'x: y\r\n',
    neverIndexed: ',x,',
  });
  const source = new CopySource();
  source.take(head);
  const canary = 0xa5;
  const bytes = sharedBytes(256);
  bytes.fill(canary);
  writeHead(bytes, new Numbers(bytes), 0, source);
  const end = headPayloadBytes(source);
  t.not(bytes[end - 1], canary, 'the last byte is written');
  t.ok(
    bytes.subarray(end).every((byte) => byte === canary),
    'nothing after it is',
  );
});

t.test('an outcome comes out of a frame as it went in', async (t) => {
  const bytes = sharedBytes(128);
  const numbers = new Numbers(bytes);
  const outcome = new Outcome();
  Object.assign(outcome, {
    status: 503,
    latencyUs: 1234.5,
    firstByteUs: 1.25,
    responseBytes: 2 ** 40,
    failure: 3,
  });
  outcome.write(numbers, 64);
  const read = new Outcome();
  read.read(numbers, 64);
  t.strictSame(read, outcome);

  outcome.failure = -1;
  outcome.write(numbers, 64);
  read.read(numbers, 64);
  t.equal(read.failure, -1, 'no failure stays none');
});
