import fc from 'fast-check';
import { ResponseChange } from '../../../core/exchange/response-change.js';
import { decideFraming } from '../../../core/http/framing.js';
import { Framing } from '../../../core/http/message.js';
import { ResponseHead, Without } from '../../../core/http/response-head.js';
import { scanHead } from '../../../core/http/response-head-scanner.js';
import { Scan } from '../../../core/http/scan.js';
import { limits } from '../../../core/limits.js';
import type { HeaderEdits } from '../../../core/plan.js';
import t from '../../support/tap.js';

function headOf(text: string): ResponseHead {
  const bytes = Buffer.from(text, 'latin1');
  const head = new ResponseHead();
  head.begin(bytes, 0);
  if (scanHead(head, bytes.length) !== Scan.DONE) throw new Error(`no head: ${text}`);
  decideFraming(head, false);
  return head;
}

/** Returns the head as it is forwarded. */
function lines(head: ResponseHead): string[] {
  const out = Buffer.alloc(limits.responseHeadBytes);
  return out.toString('latin1', 0, head.writeForward(out, Without.NOTHING)).split('\r\n');
}

const edits = (changes: Partial<HeaderEdits>): HeaderEdits => ({ remove: [], set: [], add: [], ...changes });

t.test('fields are removed, set and added, and status, framing and all else stay', async (t) => {
  const head = headOf(
    'HTTP/1.1 201 Made it\r\nServer: x\r\nDate: now\r\nX-A: 1\r\nx-a: 2\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 5\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n',
  );
  const change = ResponseChange.of(
    edits({ set: [['x-own', 'version']], add: [['x-a', '3']] }),
    edits({ remove: ['server'], set: [['x-own', 'route']] }),
  )!;
  const changed = change.apply(head, null, '')!;
  t.strictSame(lines(changed), [
    '201 Made it',
    'Date: now',
    'X-A: 1',
    'x-a: 2',
    'Set-Cookie: a',
    'set-cookie: b',
    'x-own: version',
    'x-a: 3',
  ]);
  t.match(changed, {
    status: 201,
    framing: Framing.LENGTH,
    contentLength: 5,
    hasContentLength: true,
    hasDate: true,
  });
  t.equal(changed.fieldValue('x-own'), 'version');
});

t.test('a head without a reason or a field is a head after it too', async (t) => {
  const change = ResponseChange.of(null, edits({ add: [['a', 'b']] }))!;
  t.strictSame(lines(change.apply(headOf('HTTP/1.0 204\r\n\r\n'), null, '')!), ['204 ', 'a: b']);
  const nothing = ResponseChange.of(null, edits({ remove: ['server'] }))!;
  t.strictSame(lines(nothing.apply(headOf('HTTP/1.1 200 OK\r\nServer: x\r\n\r\n'), null, '')!), ['200 OK']);
});

t.test('a head that would be too large is refused, and one that just fits is not', async (t) => {
  const own = 'HTTP/1.1 200 OK\r\n'.length - 'HTTP/1.1 '.length;
  const added = 'x-b: 1\r\n'.length;
  const change = ResponseChange.of(null, edits({ add: [['x-b', '1']] }))!;
  const fits = limits.responseHeadBytes - own - added - 'x-a: \r\n'.length;
  t.not(change.apply(headOf(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(fits)}\r\n\r\n`), null, ''), null);
  t.equal(change.apply(headOf(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(fits + 1)}\r\n\r\n`), null, ''), null);
});

t.test('edits that name nothing that is there keep every byte of every field', async () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'B', '-', '1'), minLength: 1, maxLength: 6 });
  const value = fc.string({ unit: fc.constantFrom('a', ' ', '\t', ':', '\u00e9', '"'), maxLength: 8 });
  const change = ResponseChange.of(null, edits({ remove: ['x-gone'] }))!;
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (fields) => {
      const head = headOf(`HTTP/1.1 200 OK\r\n${fields.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`);
      return lines(change.apply(head, null, '')!).join() === lines(head).join();
    }),
  );
});
