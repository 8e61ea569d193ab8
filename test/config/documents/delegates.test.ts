import t from '../../support/tap.js';
import { grown, toV1, toV2 } from './grown.js';

const service = (name: string, hosts: string[] | undefined, http: object[], namespace = 'default'): string =>
  JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace },
    spec: { hosts, http },
  });
const host = 'a.example.com';
const root = (words: object): string => service('root', [host], [words]);
const delegate = { name: 'inner' };

t.test(
  'the rules of the other one stand in the place of the rule, with the conditions of both',
  async (t) => {
    const { routes, told } = grown([
      root({
        match: [{ uri: { prefix: '/shop' }, headers: { 'x-a': { exact: '1' } } }],
        delegate,
        retries: { attempts: 1 },
      }),
      service('inner', undefined, [
        { match: [{ uri: { exact: '/shop/cart' }, headers: { 'x-b': {} } }], ...toV2 },
        { ...toV1, retries: { attempts: 3 } },
      ]),
    ]);
    t.strictSame(told, []);
    t.strictSame(
      routes.map(({ name, match, primary, retries }) => [name, match, primary, retries]),
      [
        [
          'inner',
          {
            host,
            path: { exact: '/shop/cart' },
            header: { 'x-a': { exact: '1' }, 'x-b': { present: true } },
          },
          'reviews_v2',
          { attempts: 1, on: ['connect', 503] },
        ],
        [
          'inner_2',
          { host, path: { prefix: '/shop' }, header: { 'x-a': { exact: '1' } } },
          'reviews_v1',
          { attempts: 3, on: ['connect', 503] },
        ],
      ],
    );
  },
);

t.test('a rule that does not fit within the one that delegates is reported and left out', async (t) => {
  const { routes, told } = grown([
    root({ match: [{ uri: { prefix: '/shop' } }], delegate }),
    service('inner', undefined, [{ match: [{ uri: { prefix: '/other' } }], ...toV1 }, toV2]),
  ]);
  t.match(told, [/virtualservice\/inner: the rule is never used/]);
  t.strictSame(
    routes.map(({ primary }) => primary),
    ['reviews_v2'],
  );
});

t.test('what can not be delegated is refused, and what nothing delegates to is reported', async (t) => {
  const told = (...documents: string[]) => grown(documents).told;
  t.match(told(root({ delegate })), [/VirtualService default\/inner is not among the documents/]);
  t.match(told(root({ delegate }), service('inner', ['b.example.com'], [toV1])), [/has hosts of its own/]);
  t.match(told(root({ delegate, ...toV1 }), service('inner', undefined, [toV1])), [/`delegate` excludes/]);
  t.match(told(root({ delegate }), service('inner', undefined, [{ delegate }])), [/can't be nested/]);
  t.match(told(service('inner', undefined, [toV1])), [/no other VirtualService delegates to it/]);
});
