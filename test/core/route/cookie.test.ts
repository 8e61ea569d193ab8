import t from 'tap';
import { cookieValue } from '../../../core/route/cookie.js';

function cookie(value: string, name: string): string | null {
  return cookieValue(`accept: */*\r\nCookie: ${value}\r\n`, name);
}

t.test('a cookie is found wherever it stands, with or without spaces', async (t) => {
  for (const value of [
    'id=7',
    'id=7; a=1',
    'a=1; id=7',
    'ab=1; id=7',
    'a=1;id=7;b=2',
    'a=1;  \tid=7 ; b=2',
    '; ;id=7',
  ]) {
    t.equal(cookie(value, 'id'), '7', value);
  }
});

t.test('a name is compared whole and with case', async (t) => {
  for (const value of ['ID=7', 'xid=7', 'idx=7', 'i=d=7', 'a=id=7', 'id', 'id;=7', 'id =7', '']) {
    t.equal(cookie(value, 'id'), null, value);
  }
});

t.test('the first of two wins, and a value may hold equals signs, quotes and nothing', async (t) => {
  t.equal(cookie('id=1; id=2', 'id'), '1');
  t.equal(cookie('id=a=b==; x=1', 'id'), 'a=b==');
  t.equal(cookie('id="q"; x=1', 'id'), '"q"');
  t.equal(cookie('id=; x=1', 'id'), '');
});

t.test('without a Cookie field there is none', async (t) => {
  t.equal(cookieValue('accept: */*\r\nset-cookie: id=1\r\n', 'id'), null);
});
