/** What documents become, as plain data, and what is said of them. */
import { mergeDocuments } from '../../../config/documents/merge.js';
import { readSources } from '../../../config/documents/sources.js';
import { formatProblem } from '../../../config/problem.js';
import { readTree } from '../../../config/read-tree.js';
import { type MapNode, plainValue } from '../../../config/tree.js';

export interface Grown {
  readonly routes: readonly RouteWords[];
  readonly versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** `line:column: message`, warnings too. */
  readonly told: readonly string[];
}

export type RouteWords = Readonly<Record<string, unknown>> & { readonly name: string };

/** `reviews` has v1 and v2, `ratings` one version, here and in every test. */
export const subsets = `
subsets:
  reviews: { v1: "http://127.0.0.1:9080", v2: "http://127.0.0.1:9081" }
  ratings: "http://127.0.0.1:9090"
`;

/** `base` is umbra.yaml. */
export function grown(documents: string | readonly string[], base: string = subsets, strict = false): Grown {
  const texts = typeof documents === 'string' ? [documents] : documents;
  const root = readTree(base, 'umbra.yaml', {}).root as MapNode;
  const files = texts.map((text, index) => ({ file: `${index}.yaml`, text }));
  const { documents: read, problems } = readSources([{ kind: 'texts', files }], {
    namespace: 'default',
    strict,
  });
  const merged = problems.some(({ severity }) => severity === 'error') ? [] : read;
  const { routes, versions } = mergeDocuments(root, merged, problems);
  const data = (value: unknown) => JSON.parse(JSON.stringify(value)) as never;
  return {
    routes: data(routes.map(plainValue)),
    versions: data(plainValue(versions)),
    told: problems.map((problem) => formatProblem(problem).replace(/^0\.yaml:/, '')),
  };
}

/** A VirtualService of the host `reviews` with these HTTP rules, as YAML or JSON. */
export function reviews(http: unknown, more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', ...more },
    spec: { hosts: ['reviews.example.com'], http },
  });
}

export const toV1 = { route: [{ destination: { host: 'reviews', subset: 'v1' } }] };
export const toV2 = { route: [{ destination: { host: 'reviews', subset: 'v2' } }] };
export const v2 = { host: 'reviews', subset: 'v2' };

/** The one route that one rule becomes. */
export function ruleOf(rule: object): RouteWords {
  const { routes, told: problems } = grown(reviews([rule]));
  if (routes.length !== 1) throw new Error(`expected one route: ${problems.join('\n')}`);
  return routes[0];
}
