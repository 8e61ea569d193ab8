import { listMembers, withoutNamed } from '../../../core/http/hop-by-hop.js';
import { forwardableTrailers } from '../../../core/http/trailers.js';
import t from '../../support/tap.js';

t.test(
  'a list is its members in lower case, without blanks around them and without empty ones',
  async (t) => {
    t.strictSame([...listMembers(' Close,\t, x-A \t,,close')], ['close', 'x-a']);
    t.strictSame([...listMembers('\xa0x-a,x b')], ['\xa0x-a', 'x b'], 'a byte 0xa0 is no blank');
    t.strictSame([...listMembers(' , ')], []);
  },
);

t.test('named fields go in any case, but those that upstream relies on', async (t) => {
  const fields = 'X-A: 1\r\nAuthorization: b\r\nx-b: 2\r\nCookie: c\r\n';
  t.equal(
    withoutNamed(fields, listMembers('x-a, cookie, authorization, cache-control')),
    'Authorization: b\r\nx-b: 2\r\nCookie: c\r\n',
  );
});

t.test('trailers that Connection names, or that belong into a head, are not passed on', async (t) => {
  const lines = 'X-A: 1\r\nx-b: 2\r\nIf-Match: 3\r\nProxy-Status: 4\r\nX-Forwarded-For: 5\r\nIffy: 6\r\n';
  t.equal(forwardableTrailers(lines, 'X-B , close'), 'X-A: 1\r\nIffy: 6\r\n');
});
