import { loadConfig } from '../../../config/load.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { grown, reviews, subsets, toV1 } from './grown.js';

const told = (text: string): readonly string[] => grown(text).told;
const service = (spec: string, more = ''): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: [a.example.com]
${spec}${more}`;

t.test('unknown kinds and versions are reported by name and position', async (t) => {
  t.strictSame(told('apiVersion: networking.istio.io/v1\nkind: Servise\nmetadata: { name: a }'), [
    '2:7: unknown kind `Servise`: umbra takes VirtualService, DestinationRule, ServiceEntry, WorkloadEntry, HTTPRoute, GRPCRoute, Gateway, ReferenceGrant',
  ]);
  t.match(told('apiVersion: networking.istio.io/v1\nkind: VirtualServise'), [
    /did you mean `VirtualService`/,
  ]);
  t.match(told('apiVersion: networking.istio.io/v2\nkind: VirtualService'), [
    /^2:7: VirtualService of `networking\.istio\.io\/v2` is unknown/,
  ]);
  t.match(told('kind: VirtualService'), [/`apiVersion` is missing/]);
  t.match(told('just text'), [/^1:1: expected a document with apiVersion/]);
});

t.test('unknown fields are reported by name and position, with the nearest that is known', async (t) => {
  t.strictSame(told(service('  http:\n    - rout: []\n      mirrorPercentag: { value: 1 }')), [
    '7:7: virtualservice/a: unknown field `rout` in spec.http[0] (did you mean `route`?)',
    '8:7: virtualservice/a: unknown field `mirrorPercentag` in spec.http[0] (did you mean `mirrorPercentage`?)',
  ]);
});

t.test('what umbra can not carry out is refused with the reason', async (t) => {
  t.match(told(service('  tcp: []')), [/^6:3: .*`spec\.tcp` can't be carried out: umbra routes only HTTP/]);
});

t.test('values of the wrong type are reported without being repeated', async (t) => {
  t.strictSame(
    told(
      service(
        '  http:\n    - fault: { delay: { fixedDelay: 5 } }\n      headers: { request: { set: { a: 1 } } }',
      ),
    ),
    [
      '7:37: virtualservice/a: spec.http[0].fault.delay.fixedDelay: expected a duration such as 250ms, 10s or 1m30s; put it in quotes',
      '8:39: virtualservice/a: spec.http[0].headers.request.set["a"]: expected text; put it in quotes',
    ],
  );
});

t.test('one bad document refuses the whole file', async (t) => {
  const { routes, told } = grown(
    `${reviews([toV1])}\n---\napiVersion: networking.istio.io/v1\nkind: Nothing\n`,
  );
  t.equal(routes.length, 0);
  t.match(told, [/^4:7: unknown kind/]);
});

t.test('one document given twice is reported with both places', async (t) => {
  t.match(told(`${reviews([toV1])}\n---\n${reviews([toV1])}`), [
    /^3:1: .*given twice; the first is at 0\.yaml:1/,
  ]);
  t.match(grown([reviews([toV1]), reviews([toV1])]).told, [/^1\.yaml:1:1: .*the first is at 0\.yaml:1/]);
});

t.test('empty documents and comments are nothing, and a List is its items', async (t) => {
  const list = `---\n# nothing\n---\n{"apiVersion":"v1","kind":"List","items":[${reviews([toV1])}]}\n---\n`;
  t.equal(grown(list).routes.length, 1);
});

t.test('what a Kubernetes server says of a document is no fault, and null is like nothing', async (t) => {
  const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a, uid: x, resourceVersion: "1", generation: 2, managedFields: [], creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { hosts: [a.example.com], http: [{ timeout: null, route: [{ destination: { host: ratings } }] }] }
status: {}`;
  const { routes, told } = grown(text);
  t.strictSame(told, []);
  t.equal(routes.length, 1);
});

t.test('a subset that nobody gives endpoints to is reported at the destination', async (t) => {
  const destination = (words: string) => service(`  http: [{ route: [{ destination: ${words} }] }]`);
  t.match(told(destination('{ host: reviews, subset: v3 }')), [
    /^6:\d+: .*subset `v3` of reviews\.default\.svc\.cluster\.local is unknown/,
  ]);
  t.match(told(destination('{ host: nowhere }')), [
    /nowhere\.default\.svc\.cluster\.local has no endpoints: say where they are with a ServiceEntry/,
  ]);
});

t.test('what the configuration refuses is reported once, with the path in the document', async (t) => {
  const rule = (words: object) => reviews([{ ...toV1, ...words }]);
  const problems = (text: string): string[] => {
    const files = [{ file: 'a.yaml', text }];
    const result = loadConfig(subsets, 'umbra.yaml', { documents: [{ kind: 'texts', files }] });
    return (result.ok ? result.warnings : result.problems).map(({ message }) => message);
  };
  t.strictSame(problems(rule({ headers: { request: { set: { 'x-a': '%STREAM_ID%' } } } })), [
    'virtualservice/reviews: spec.http[0].headers.request.set.x-a: has %STREAM_ID%, which umbra does not know',
  ]);
  t.match(problems(rule({ match: [{ uri: { regex: '/(' } }] })), [
    /^virtualservice\/reviews: spec\.http\[0\]\.match\[0\]\.uri\.regex: /,
  ]);
  t.match(problems(rule({})), []);
  t.match(problems(reviews([toV1, { match: [{ uri: { prefix: '/x' } }], ...toV1 }])), [
    /^virtualservice\/reviews: spec\.http\[1\]: route `reviews_2` can never match/,
  ]);
});

t.test('names are those that Kubernetes allows', async (t) => {
  t.match(
    told(
      'apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: { name: A_b }\nspec: { address: x }',
    ),
    [/^3:19: metadata\.name: expected a name of lower-case letters/],
  );
});

t.test('a YAML bomb ends at the bound on values', async (t) => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const inner = level === 0 ? 'x' : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array(10).fill(inner).join(',')}]`;
  });
  t.match(told(levels.join('\n')), [new RegExp(`holds more than ${limits.documentValues} values`)]);
});

t.test('anchors are of one document alone', async (t) => {
  t.match(told('a: &x 1\n---\nb: *x'), [/`&x` is not an anchor before this place|Unresolved alias/i]);
});

t.test('nesting is bounded, and a file is', async (t) => {
  t.match(told('['.repeat(1000)), [/nested more than/]);
  t.match(told('#'.repeat(limits.documentBytes + 1)), [/is larger than/]);
});
