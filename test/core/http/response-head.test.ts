import { type ResponseHead, Without } from '../../../core/http/response-head.js';
import { ResponseReader } from '../../../core/http/response-reader.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { Reading } from './reading.js';

/** Runs `use` while the head of `text` is valid. */
function withHead(text: string, use: (head: ResponseHead) => void): void {
  const sink = new Reading();
  let used = false;
  sink.onHead = (head) => {
    used = true;
    use(head);
  };
  const reader = new ResponseReader(sink);
  reader.reset(sink, false);
  const bytes = Buffer.from(text, 'latin1');
  reader.feed(bytes, 0, bytes.length);
  if (!used) throw new Error('no head');
}

const out = Buffer.alloc(limits.responseHeadBytes);

t.test('Date is passed on, or left out for an engine that writes its own', async (t) => {
  withHead('HTTP/1.1 200 OK\r\nA: b\r\nDate: now\r\nC: d\r\nContent-Length: 0\r\n\r\n', (head) => {
    t.equal(
      out.toString('latin1', 0, head.writeForward(out, Without.NOTHING)),
      '200 OK\r\nA: b\r\nDate: now\r\nC: d',
    );
    t.equal(out.toString('latin1', 0, head.writeForward(out, Without.DATE)), '200 OK\r\nA: b\r\nC: d');
  });
});

t.test('a head with nothing to pass on is its status line', async (t) => {
  withHead('HTTP/1.1 200\r\nDate: now\r\nContent-Length: 0\r\n\r\n', (head) => {
    t.equal(out.toString('latin1', 0, head.writeForward(out, Without.DATE)), '200 ');
  });
});

t.test('values are found by lower-case name, the first of several', async (t) => {
  withHead('HTTP/1.1 200 OK\r\nX-A:  one \r\nx-a: two\r\nEmpty:\r\nContent-Length: 0\r\n\r\n', (head) => {
    t.equal(head.fieldValue('x-a'), 'one');
    t.equal(head.fieldValue('empty'), '');
    t.equal(head.fieldValue('content-length'), '0', 'also of fields that are not passed on');
    t.equal(head.fieldValue('x'), null);
    t.equal(head.fieldCount, 4);
    t.equal(head.fieldName(0), 'x-a');
    t.equal(head.fieldText(1), 'two');
    t.strictSame([head.isForwarded(0), head.isForwarded(3)], [true, false]);
  });
});

t.test('what is written is never longer than what was read', async (t) => {
  const line = 'A :b\r\n';
  const text = `HTTP/1.1 200\r\n${line.repeat(limits.responseFields)}\r\n`;
  withHead(text, (head) => {
    t.equal(head.fieldCount, limits.responseFields);
    t.ok(head.writeForward(out, Without.NOTHING) <= text.length);
  });
});
