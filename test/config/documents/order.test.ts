import t from '../../support/tap.js';
import { grown, toV1, toV2 } from './grown.js';

const service = (name: string, spec: object, created?: string): string =>
  JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, ...(created === undefined ? {} : { creationTimestamp: created }) },
    spec,
  });
const at = (prefix: string) => ({ match: [{ uri: { prefix } }], ...toV1 });
const names = (...documents: string[]): string[] => grown(documents).routes.map(({ name }) => name);

t.test('of two VirtualServices for one host, the rules of the older one come first', async (t) => {
  const hosts = ['a.example.com'];
  const young = service('young', { hosts, http: [at('/x')] }, '2026-02-01T00:00:00Z');
  const old = service('old', { hosts, http: [at('/x')] }, '2026-01-01T00:00:00Z');
  t.strictSame(names(young, old), ['old', 'young']);
});

t.test('of two of one age the name decides, and one without an age is the oldest', async (t) => {
  const hosts = ['a.example.com'];
  const at1 = '2026-01-01T00:00:00Z';
  const b = service('b', { hosts, http: [at('/x')] }, at1);
  const a = service('a', { hosts, http: [at('/x')] }, at1);
  t.strictSame(names(b, a, service('z', { hosts, http: [at('/x')] })), ['z', 'a', 'b']);
});

t.test('rules without a condition come after those of all VirtualServices of the host', async (t) => {
  const hosts = ['a.example.com'];
  const old = service('old', { hosts, http: [at('/x'), toV2] });
  const young = service('young', { hosts, http: [at('/y')] });
  t.strictSame(names(old, young), ['old', 'young', 'old_2']);
});

t.test(
  'an exact host goes before wildcards, a longer wildcard before a shorter one, * is last',
  async (t) => {
    const http = [toV1];
    t.strictSame(
      names(
        service('any', { hosts: ['*'], http }),
        service('short', { hosts: ['*.com'], http }),
        service('long', { hosts: ['*.example.com'], http }),
        service('exact', { hosts: ['a.example.com'], http }),
      ),
      ['exact', 'long', 'short', 'any'],
    );
  },
);

t.test('a document with several kinds of hosts is a route for each kind', async (t) => {
  const { routes } = grown(service('a', { hosts: ['a.com', 'b.com', '*.c.com'], http: [toV1] }));
  t.strictSame(
    routes.map(({ name, match }) => [name, match]),
    [
      ['a', [{ host: 'a.com' }, { host: 'b.com' }]],
      ['a_any.c.com', { host: '*.c.com' }],
    ],
  );
});

t.test(
  'what no rule of a host takes is answered 404, and does not fall to a less specific host',
  async (t) => {
    const { routes } = grown([
      service('any', { hosts: ['*'], http: [toV1] }),
      service('a', { hosts: ['a.com'], http: [at('/x')] }),
    ]);
    t.strictSame(
      routes.map(({ name, match, respond }) => [name, match, respond]),
      [
        ['a', { host: 'a.com', path: { prefix: '/x' } }, undefined],
        ['a_unmatched', { host: 'a.com' }, { status: 404 }],
        ['any', {}, undefined],
      ],
    );
  },
);

const route = (name: string, rules: object[], created?: string): string =>
  JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, ...(created === undefined ? {} : { creationTimestamp: created }) },
    spec: { hostnames: ['a.example.com'], rules },
  });
const backendRefs = [{ name: 'ratings', port: 80 }];
const path = (type: string, value: string) => ({ path: { type, value } });

t.test('of HTTPRoute matches the most specific one comes first', async (t) => {
  const rule = (name: string, match: object) => ({ name, matches: [match], backendRefs });
  t.strictSame(
    names(
      route('r', [
        rule('regex', path('RegularExpression', '/a.*')),
        rule('root', {}),
        rule('short', path('PathPrefix', '/a')),
        rule('query', { ...path('PathPrefix', '/ab'), queryParams: [{ name: 'q', value: '1' }] }),
        rule('header', { ...path('PathPrefix', '/ab'), headers: [{ name: 'h', value: '1' }] }),
        rule('method', { ...path('PathPrefix', '/ab'), method: 'GET' }),
        rule('long', path('PathPrefix', '/abc')),
        rule('exact', path('Exact', '/a')),
      ]),
    ),
    ['exact', 'long', 'method', 'header', 'query', 'short', 'root', 'regex'].map(
      (name) => `httproute_r_${name}`,
    ),
  );
});

t.test(
  'of equal HTTPRoute matches the older document goes first, then the name, then the rule',
  async (t) => {
    const rules = [
      { matches: [path('Exact', '/a')], backendRefs },
      { matches: [path('Exact', '/a')], backendRefs },
    ];
    t.strictSame(
      names(
        route('young', rules, '2026-02-01T00:00:00Z'),
        route('b', rules, '2026-01-01T00:00:00Z'),
        route('a', rules, '2026-01-01T00:00:00Z'),
      ),
      ['a', 'a_2', 'b', 'b_2', 'young', 'young_2'].map((name) => `httproute_${name}`),
    );
  },
);

t.test('VirtualServices go before HTTPRoutes of the same host', async (t) => {
  t.strictSame(
    names(
      route('r', [{ matches: [path('Exact', '/a')], backendRefs }]),
      service('s', { hosts: ['a.example.com'], http: [at('/a')] }),
    ),
    ['s', 'httproute_r'],
  );
});

t.test(
  'the first rule of a VirtualService that matches wins, also where it takes every request',
  async (t) => {
    const hosts = ['a.example.com'];
    for (const match of [undefined, [{ uri: { prefix: '/' } }], [{ uri: { regex: '.*' } }]]) {
      const all = match === undefined ? toV1 : { match, ...toV1 };
      t.strictSame(names(service('one', { hosts, http: [all, at('/x')] })), ['one', 'one_2']);
      t.strictSame(
        names(service('one', { hosts, http: [all, at('/x')] }), service('two', { hosts, http: [at('/y')] })),
        ['two', 'one', 'one_2'],
        'after the rules of others',
      );
    }
  },
);

t.test('a gateway that takes every path of every host needs no route of its own for the rest', async (t) => {
  const http = [{ match: [{ uri: { prefix: '/' } }], ...toV1 }];
  t.strictSame(names(service('all', { hosts: ['*'], http })), ['all']);
});
