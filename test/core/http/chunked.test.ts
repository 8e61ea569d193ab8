import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { read } from './reading.js';

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

t.test('chunked bodies that are read', async (t) => {
  const bodies: [wire: string, body: string][] = [
    ['0\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n', '0123456789abcdefghij'],
    ['00005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['5;a\r\nhello\r\n0;b=c;d="e;\t f"\r\n\r\n', 'hello'],
    ['5;a="\\"\\\\";b="c"\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5 \t;a\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5;a = b ; c\t=\t"d" \r\nhello\r\n0\r\n\r\n', 'hello'],
    ['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
    ['5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n', 'hello'],
    ['5\r\nhello\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\n\r\n', 'hello'],
  ];
  for (const [wire, body] of bodies) {
    const reading = read(HEAD + wire);
    t.equal(reading.fault, 'NONE', JSON.stringify(wire));
    t.equal(reading.fed, 'WHOLE');
    t.equal(reading.body, body);
    t.equal(reading.head, '200 OK', 'trailers are merged into nothing');
  }
});

t.test('chunked bodies that are refused', async (t) => {
  const bodies: [wire: string, fault: string][] = [
    ['\r\n', 'CHUNK_LINE'],
    ['g\r\n', 'CHUNK_LINE'],
    ['0x5\r\nhello\r\n', 'CHUNK_LINE'],
    ['+5\r\nhello\r\n', 'CHUNK_LINE'],
    ['-1\r\n', 'CHUNK_LINE'],
    [' 5\r\nhello\r\n', 'CHUNK_LINE'],
    ['5 \r\nhello\r\n', 'CHUNK_LINE'],
    ['5 x\r\nhello\r\n', 'CHUNK_LINE'],
    ['5\nhello\r\n', 'CHUNK_LINE'],
    ['5\rhello\r\n', 'CHUNK_LINE'],
    ['5;a\nhello\r\n', 'CHUNK_LINE'],
    ['5;a\x00\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a\rb\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a;\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;=b\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a="b\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a b\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a=\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a=b c\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a=b=c\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a=b"c"\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a="b"c\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;"a"=b\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a@b\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;[a]=b\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a\xe4\r\nhello\r\n', 'CHUNK_LINE'],
    ['5;a="b\\"\r\nhello\r\n', 'CHUNK_LINE'],
    ['20000000000000\r\n', 'CHUNK_LINE'],
    ['ffffffffffffffff5\r\n', 'CHUNK_LINE'],
    [`5;${'x'.repeat(limits.chunkLineBytes)}\r\nhello\r\n`, 'CHUNK_LINE'],
    [`${'0'.repeat(limits.chunkLineBytes + 1)}5\r\nhello\r\n`, 'CHUNK_LINE'],
    ['5\r\nhello', 'NONE'],
    ['5\r\nhelloX\r\n', 'CHUNK_END'],
    ['5\r\nhello\n0\r\n\r\n', 'CHUNK_END'],
    ['5\r\nhello\rX', 'CHUNK_END'],
    ['5\r\nhell\r\n0\r\n\r\n', 'CHUNK_END'],
    ['0\r\nX', 'NONE'],
    ['0\r\n: x\r\n\r\n', 'TRAILER'],
    ['0\r\nA b: x\r\n\r\n', 'TRAILER'],
    ['0\r\nA\r\n\r\n', 'TRAILER'],
    ['0\r\n A: b\r\n\r\n', 'TRAILER'],
    ['0\r\nA: b\n\r\n', 'TRAILER'],
    ['0\r\nA: b\x00\r\n\r\n', 'TRAILER'],
    ['0\r\n\rX', 'TRAILER'],
    ['0\r\n\n', 'TRAILER'],
    [`0\r\nA: ${'x'.repeat(limits.trailerBytes)}\r\n\r\n`, 'TRAILER'],
    [`0\r\n${'A: b\r\n'.repeat(limits.trailerBytes / 6 + 1)}\r\n`, 'TRAILER'],
  ];
  for (const [wire, fault] of bodies) {
    const reading = read(HEAD + wire);
    t.equal(reading.fault, fault, JSON.stringify(wire.slice(0, 40)));
    t.notOk(reading.ended);
  }
});

t.test('the largest size is 2^53 - 1', async (t) => {
  t.equal(read(`${HEAD}1fffffffffffff\r\nx`).fault, 'NONE');
  t.equal(read(`${HEAD}20000000000000\r\nx`).fault, 'CHUNK_LINE');
});

t.test('trailers come as they are, wherever they are cut, without what a head alone may say', async (t) => {
  const head = HEAD.replace('\r\n\r\n', '\r\nConnection: x-Hop, close\r\n\r\n');
  const sections: [lines: string, forwarded: string][] = [
    ['', ''],
    ['X-A:  b \r\nx-empty:\r\nX-H: \xe9\r\n', 'X-A:  b \r\nx-empty:\r\nX-H: \xe9\r\n'],
    ['Content-Length: 9\r\nA: 1\r\nhost: h\r\nB: 2\r\nX-HOP: 3\r\n', 'A: 1\r\nB: 2\r\n'],
    ['Transfer-Encoding: chunked\r\nIf-Match: *\r\nX-Forwarded-For: ::1\r\nSet-Cookie: a\r\n', ''],
    [
      'grpc-status: 0\r\nETag: "x"\r\nContent-Digest: y\r\n',
      'grpc-status: 0\r\nETag: "x"\r\nContent-Digest: y\r\n',
    ],
  ];
  for (const [lines, forwarded] of sections) {
    const text = `${head}1\r\nx\r\n0\r\n${lines}\r\n`;
    for (let cut = text.length - lines.length - 4; cut <= text.length; cut++) {
      t.strictSame(read(text, [cut]).trailers, forwarded, `${lines} cut at ${cut}`);
    }
    const everywhere = Array.from({ length: text.length }, (_, i) => i);
    t.strictSame(read(text, everywhere).trailers, forwarded);
  }
});
