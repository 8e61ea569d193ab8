import { countsForwards, takeForward } from '../../../core/http/max-forwards.js';
import { RequestHead } from '../../../core/http/message.js';
import t from '../../support/tap.js';

function taken(fields: string): [goesOn: boolean, fields: string] {
  const head = new RequestHead();
  head.fields = fields;
  const goesOn = takeForward(head);
  return [goesOn, head.fields];
}

t.test('a number above 0 becomes one less, 0 ends the way here', async (t) => {
  t.strictSame(taken('a: 1\r\nMAX-Forwards:10\r\nb: 2\r\n'), [true, 'a: 1\r\nb: 2\r\nMax-Forwards: 9\r\n']);
  t.strictSame(taken('max-forwards: 1\r\n'), [true, 'Max-Forwards: 0\r\n']);
  for (const fields of ['max-forwards: 0\r\n', 'max-forwards: 000\r\n']) {
    t.strictSame(taken(fields), [false, fields]);
  }
});

t.test('no number, or none that we can count, is left alone', async (t) => {
  for (const value of ['', '-1', '1, 2', '0x0', 'ten', '9'.repeat(16)]) {
    t.strictSame(taken(`max-forwards: ${value}\r\n`), [true, `max-forwards: ${value}\r\n`]);
  }
  t.strictSame(taken('a: 1\r\n'), [true, 'a: 1\r\n']);
});

t.test('it says nothing to methods other than OPTIONS and TRACE', async (t) => {
  t.strictSame(['OPTIONS', 'TRACE', 'GET', 'options'].map(countsForwards), [true, true, false, false]);
});
