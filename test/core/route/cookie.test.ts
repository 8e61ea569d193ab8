import fc from 'fast-check';
import { cookieValue } from '../../../core/route/cookie.js';
import t from '../../support/tap.js';

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

t.test('it finds what splitting the field finds', async (t) => {
  const field = fc.string({
    unit: fc.constantFrom('a', 'b', ';', '=', ' ', '\t'),
    maxLength: 16,
    size: 'max',
  });
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 2 });
  let found = 0;
  fc.assert(
    fc.property(field, name, (text, wanted) => {
      const pair = text
        .split(';')
        .map((part) => part.trim())
        .find((part) => part.startsWith(`${wanted}=`));
      if (pair !== undefined) found++;
      return cookie(text, wanted) === (pair?.slice(wanted.length + 1).trim() ?? null);
    }),
    { numRuns: 2000 },
  );
  t.ok(found > 50, `${found} were there`);
});

t.test('what stands behind the Cookie field is not looked at', async (t) => {
  t.equal(cookieValue('cookie: a=1\r\nx: y; id=7\r\n', 'id'), null);
});
