import fc from 'fast-check';
import { normalizedTarget } from '../../../core/http/match-target.js';
import t from '../../support/tap.js';

t.test('a path in disguise is the path that servers take it for', async (t) => {
  for (const path of [
    '/admin',
    '/x/../admin',
    '/./admin',
    '/%61dmin',
    '/%2e/admin',
    '/x/%2E%2e/admin',
    '/../../admin',
    '\\admin',
    '/x\\..\\admin',
  ]) {
    const target = path.startsWith('/') ? path : `/${path}`;
    t.equal(normalizedTarget(target, true), '/admin', path);
  }
  t.equal(normalizedTarget('//x/..//admin/', true), '/admin/');
  t.equal(normalizedTarget('//admin', false), '//admin');
});

t.test('what means something else stays', async (t) => {
  for (const target of ['/', '*', '/a/', '/a%2fb', '/%zz', '/%', '/a?x=/../b', '/..a/b..', '/a.b', 'x'])
    t.equal(normalizedTarget(target, false), target);
  t.equal(normalizedTarget('/a/..', false), '/');
  t.equal(normalizedTarget('/a/b/.', false), '/a/b/');
  t.equal(normalizedTarget('/a/../b?c=/../d', false), '/b?c=/../d');
});

t.test(
  'a normalized path has no dot segments and is normalized already, unless a decoded one decodes again',
  async (t) => {
    const parts = fc.constantFrom('/', '.', '..', 'a', '%41', '%2F', '\\', '//', 'b');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), fc.boolean(), (path, merges) => {
        const once = normalizedTarget(`/${path.join('')}`, merges);
        t.notOk(once.split('/').some((segment) => segment === '.' || segment === '..'));
        t.equal(normalizedTarget(once, merges), once);
      }),
    );
  },
);
