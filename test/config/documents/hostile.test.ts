import fc from 'fast-check';
import type { DocumentSource } from '../../../config/documents/sources.js';
import { loadConfig } from '../../../config/load.js';
import t from '../../support/tap.js';
import { subsets } from './grown.js';

const documents: readonly object[] = [
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'a' },
    spec: {
      hosts: ['a', '*.b.com'],
      http: [
        {
          name: 'n',
          match: [{ uri: { prefix: '/a' }, headers: { h: { exact: 'x' } }, method: { regex: 'GET|PUT' } }],
          route: [{ destination: { host: 'reviews', subset: 'v1' }, weight: 1 }],
          rewrite: { uri: '/b' },
          retries: { attempts: 1, retryOn: '5xx' },
          mirrors: [{ destination: { host: 'ratings' }, percentage: { value: 1 } }],
        },
        { fault: { delay: { fixedDelay: '1s' } }, route: [{ destination: { host: 'app', subset: 's' } }] },
        { redirect: { authority: 'x:1' } },
      ],
    },
  },
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'a' },
    spec: {
      host: 'app',
      trafficPolicy: { tls: { mode: 'SIMPLE' }, outlierDetection: {}, connectionPool: { tcp: {} } },
      subsets: [{ name: 's', labels: { a: 'b' } }],
    },
  },
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'a' },
    spec: {
      hosts: ['app'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: '127.0.0.1', labels: { a: 'b' }, ports: { http: 1 } }],
    },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'a' },
    spec: {
      hostnames: ['c.com'],
      rules: [
        {
          matches: [{ path: { value: '/a' }, headers: [{ name: 'h', value: 'x' }] }],
          filters: [
            {
              type: 'URLRewrite',
              urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
            },
            {
              type: 'RequestMirror',
              requestMirror: { backendRef: { name: 'ratings' }, fraction: { numerator: 1 } },
            },
          ],
          backendRefs: [{ name: 'reviews', port: 80, weight: 1 }],
          timeouts: { request: '1s' },
        },
      ],
    },
  },
];

const anything = fc.oneof(
  fc.constantFrom(
    null,
    '',
    {},
    [],
    0,
    -1,
    1e308,
    true,
    '__proto__',
    'constructor',
    '*',
    '..',
    '(',
    '/',
    '0s',
  ),
  fc.string(),
  fc.integer(),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
);

/** `value` with what is at the `turn`-th place, counted through, replaced. */
function mutated(value: unknown, turn: { left: number }, by: unknown): unknown {
  if (turn.left-- === 0) return by;
  if (Array.isArray(value)) return value.map((item) => mutated(item, turn, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mutated(inner, turn, by)]));
}

const textsOf = (texts: readonly string[]): DocumentSource => ({
  kind: 'texts',
  files: texts.map((text, index) => ({ file: `${index}.yaml`, text })),
});

t.test(
  'whatever stands at whatever place of a document, it is accepted or reported, and nothing throws',
  async (t) => {
    const known = loadConfig(subsets, 'umbra.yaml', {
      documents: [textsOf(documents.map((document) => JSON.stringify(document)))],
    });
    t.ok(known.ok, 'as they are, they are good');
    fc.assert(
      fc.property(fc.nat(3), fc.nat(60), anything, (which, place, by) => {
        const texts = documents.map((document, index) =>
          JSON.stringify(index === which ? mutated(document, { left: place }, by) : document),
        );
        const result = loadConfig(subsets, 'umbra.yaml', {
          documents: [textsOf(texts)],
        });
        if (result.ok) return;
        for (const { file, line, column, message } of result.problems) {
          if (file === '' || line < 1 || column < 1 || message === '')
            throw new Error(JSON.stringify(result));
        }
      }),
      { numRuns: 500 },
    );
  },
);
