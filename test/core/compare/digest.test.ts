import fc from 'fast-check';
import { digestBody, digestFields } from '../../../core/compare/digest.js';
import { ResponseHead } from '../../../core/http/response-head.js';
import { scanHead } from '../../../core/http/response-head-scanner.js';
import t from '../../support/tap.js';

t.test('a body has one checksum, however it is cut', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (pieces) => {
      const inPieces = pieces.reduce((digest, piece) => digestBody(piece, digest), 0);
      return inPieces === digestBody(Buffer.concat(pieces), 0);
    }),
  );
});

function head(...fields: string[]): ResponseHead {
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
  const head = new ResponseHead();
  head.begin(bytes, 0);
  scanHead(head, bytes.length);
  return head;
}

t.test('fields have one checksum that shows values, repeats and their order, and nothing else', async (t) => {
  const of = (...fields: string[]) => digestFields(head(...fields), ['a', 'b']);
  t.equal(of('a: 1', 'b: 2', 'c: 3'), of('B: 2', 'x: y', 'A:1'));
  const all = [
    of(),
    of('a: 1'),
    of('b: 1'),
    of('a: 1', 'b: 1'),
    of('a: 1', 'a: 1'),
    of('a: 11'),
    of('a: 1', 'a: 2'),
    of('a: 2', 'a: 1'),
    of('a:'),
  ];
  t.equal(new Set(all).size, all.length);
});
