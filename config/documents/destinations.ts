/**
 * Converts host, subset and port of a destination to a version of umbra.yaml. Endpoints come from `subsets`
 * or from ServiceEntry and WorkloadEntry, and everything else from the DestinationRules of the host.
 */
import { type ConfigProblem, type Mark, warningAt } from '../problem.js';
import { didYouMean } from '../suggest.js';
import { ListNode, MapNode, ScalarNode, type TreeNode } from '../tree.js';
import { byAge, type Document, errorOf, warnOf } from './document.js';
import { fitted } from './fitted-name.js';
import { type Growth, grow } from './grow.js';
import { shortHost, wholeHost } from './host-name.js';
import { at, itemsAt, textAt } from './look.js';
import { type Labels, labelsAt, Services } from './service.js';
import { boundKeys, type VersionPolicy, versionPolicy } from './traffic-policy.js';

export interface Destination {
  readonly host: string;
  readonly subset: string | undefined;
  readonly port: number | undefined;
  readonly mark: Mark;
  /** A destination without endpoints is reported but not refused. */
  readonly isLenient?: boolean;
  /** gRPC calls go there, which need HTTP/2. */
  readonly isGrpc?: boolean;
}

/** A version whose protocol is known once all routes have named their destinations. */
interface Made {
  readonly body: MapNode;
  readonly policy: VersionPolicy;
  isHttp2: boolean;
}

interface Subset {
  readonly rule: Document;
  readonly node: TreeNode;
  readonly labels: Labels;
}

/** The DestinationRules of one host, merged. */
interface HostRules {
  policy: { readonly rule: Document; readonly node: TreeNode } | null;
  readonly subsets: Map<string, Subset>;
}

const noLabels: Labels = new Map();

export class Destinations {
  /** The versions that were requested so far, as `versions` of umbra.yaml. */
  readonly versions: MapNode;
  readonly #namespace: string;
  readonly #problems: ConfigProblem[];
  /** `subsets` of umbra.yaml by full host name. */
  readonly #given = new Map<string, TreeNode>();
  readonly #services: Services;
  readonly #rules = new Map<string, HostRules>();
  readonly #names = new Map<string, string | null>();
  readonly #made = new Map<string, Made>();

  constructor(
    documents: readonly Document[],
    subsets: TreeNode | undefined,
    namespace: string,
    problems: ConfigProblem[],
  ) {
    const start = { file: '', line: 1, column: 1 };
    this.versions = new MapNode(subsets?.mark ?? documents[0]?.mark ?? start);
    this.#namespace = namespace;
    this.#problems = problems;
    if (subsets instanceof MapNode)
      for (const [host, { node }] of subsets.entries) this.#given.set(wholeHost(host, namespace), node);
    const inOrder = byAge(documents);
    this.#services = new Services(inOrder);
    for (const rule of inOrder) if (rule.kind.name === 'DestinationRule') this.#enter(rule);
  }

  /** `version` returns the name of the version, or null after reporting why there is none. */
  version(document: Document, destination: Destination): string | null {
    const { host, subset, port } = destination;
    const known = `${host} ${subset ?? ''} ${port ?? ''}`;
    let name = this.#names.get(known);
    if (name === undefined) {
      name = this.#make(document, destination);
      this.#names.set(known, name);
    }
    if (destination.isGrpc === true && name !== null) this.#made.get(name)!.isHttp2 = true;
    return name;
  }

  /**
   * `settle` writes `protocol` of every version and the bounds that depend on it. Call it once, after the
   * last `version`. Keys of umbra.yaml take precedence.
   */
  settle(): void {
    for (const { body, policy, isHttp2 } of this.#made.values()) {
      const own = textAt(body, 'protocol');
      const speaksHttp2 = own === undefined ? isHttp2 : own === 'http2';
      const { connections, streams } = boundKeys(policy.bounds, speaksHttp2);
      setUnless(body, 'protocol', speaksHttp2 ? 'http2' : undefined);
      setUnless(body, 'connections', connections === undefined ? undefined : { max: connections });
      setUnless(body, 'streams', streams === undefined ? undefined : { max: streams });
    }
  }

  /** `#enter` adds a rule. Of two definitions the older one counts, as in Istio. */
  #enter(rule: Document): void {
    const host = wholeHost(textAt(rule.spec, 'host') ?? '', rule.namespace);
    const rules: HostRules = this.#rules.get(host) ?? { policy: null, subsets: new Map() };
    this.#rules.set(host, rules);
    const policy = at(rule.spec, 'trafficPolicy');
    if (policy !== undefined && rules.policy !== null)
      this.#passedOver(rule, policy.mark, `\`trafficPolicy\` of ${host}`, rules.policy.rule);
    else if (policy !== undefined) rules.policy = { rule, node: policy };
    for (const node of itemsAt(rule.spec, 'subsets')) {
      const name = textAt(node, 'name') ?? '';
      const before = rules.subsets.get(name);
      if (before !== undefined)
        this.#passedOver(rule, node.mark, `subset \`${name}\` of ${host}`, before.rule);
      else rules.subsets.set(name, { rule, node, labels: labelsAt(at(node, 'labels')) });
    }
  }

  #passedOver(rule: Document, mark: Mark, what: string, before: Document): void {
    const message = `${what} is ignored: ${before.label} is older and has one too`;
    this.#problems.push(warningAt(mark, `${rule.label}: ${message}`));
  }

  #make(document: Document, destination: Destination): string | null {
    const { host, subset, port, mark } = destination;
    const rules = this.#rulesOf(host);
    const ruled = subset === undefined ? undefined : rules?.subsets.get(subset);
    const policy = this.#policy(rules, ruled);
    const given = this.#givenFor(host, subset);
    let isHttp2 = policy.upgrades;
    let body: MapNode;
    if (given !== undefined) {
      this.#reportPort(document, given, port, mark);
      body = withPolicy(given, policy);
    } else {
      if (subset !== undefined && ruled === undefined) return this.#noSubset(document, host, subset, mark);
      const labels = ruled?.labels ?? noLabels;
      const before = this.#problems.length;
      const served = this.#services.endpoints(host, port, labels, policy.secure, this.#problems);
      const { urls } = served;
      if (urls.length === 0)
        return this.#problems.length > before ? null : this.#noEndpoints(document, destination);
      isHttp2 ||= served.isHttp2;
      body = grow(urls[0].mark, { endpoints: urls, ...policy.keys }) as MapNode;
    }
    const name = this.#nameOf(host, subset, given === undefined ? port : undefined);
    this.versions.entries.set(name, { keyMark: mark, node: body });
    this.#made.set(name, { body, policy, isHttp2 });
    return name;
  }

  #policy(rules: HostRules | undefined, subset: Subset | undefined): VersionPolicy {
    return versionPolicy(rules?.policy?.node, at(subset?.node, 'trafficPolicy'));
  }

  /** `#rulesOf` returns the rules of the host, or of the longest wildcard that matches it. */
  #rulesOf(host: string): HostRules | undefined {
    const own = this.#rules.get(host);
    if (own !== undefined) return own;
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const wide = this.#rules.get(`*${host.slice(dot)}`);
      if (wide !== undefined) return wide;
    }
    return this.#rules.get('*');
  }

  /**
   * `#reportPort` warns that endpoints of `subsets` have their own ports, so that a destination's port is
   * ignored.
   */
  #reportPort(document: Document, given: TreeNode, port: number | undefined, mark: Mark): void {
    if (port === undefined) return;
    const urls = endpointsOf(given).map((node) => textAt(node) ?? textAt(node, 'url') ?? '');
    if (urls.some((url) => url.replace(/\/$/, '').endsWith(`:${port}`))) return;
    const message = `port ${port} is ignored: the endpoints of \`subsets\` have ports of their own`;
    this.#problems.push(warnOf(document, mark, message));
  }

  /**
   * `#givenFor` returns the endpoints in `subsets`. A host without a subset has the endpoints of all its
   * subsets.
   */
  #givenFor(host: string, subset: string | undefined): TreeNode | undefined {
    const node = this.#given.get(host);
    if (node === undefined) return undefined;
    if (isVersion(node)) return subset === undefined ? node : undefined;
    const subsets = (node as MapNode).entries;
    if (subset !== undefined) return subsets.get(subset)?.node;
    const all = [...subsets.values()].map((entry) => entry.node);
    if (all.length === 0) return undefined;
    const whole = new MapNode(node.mark);
    if (all[0] instanceof MapNode) for (const [key, entry] of all[0].entries) whole.entries.set(key, entry);
    const endpoints = grow(node.mark, all.flatMap(endpointsOf));
    whole.entries.set('endpoints', { keyMark: node.mark, node: endpoints });
    return whole;
  }

  #noSubset(document: Document, host: string, subset: string, mark: Mark): null {
    const given = this.#given.get(host);
    const known = [
      ...(this.#rulesOf(host)?.subsets.keys() ?? []),
      ...(given instanceof MapNode && !isVersion(given) ? given.entries.keys() : []),
    ];
    const why = `no DestinationRule has it, and \`subsets\` of umbra.yaml does not either`;
    const message = `subset \`${subset}\` of ${host} is unknown${didYouMean(subset, known)}: ${why}`;
    this.#problems.push(errorOf(document, mark, message));
    return null;
  }

  #noEndpoints(document: Document, { host, subset, mark, isLenient = false }: Destination): null {
    const what = subset === undefined ? host : `subset \`${subset}\` of ${host}`;
    const how = this.#services.has(host)
      ? 'no endpoint of its ServiceEntry has the labels'
      : 'say where they are with a ServiceEntry, or with `subsets` in umbra.yaml';
    const report = isLenient ? warnOf : errorOf;
    this.#problems.push(report(document, mark, `${what} has no endpoints: ${how}`));
    return null;
  }

  #nameOf(host: string, subset: string | undefined, port: number | undefined): string {
    const parts = [shortHost(host, this.#namespace), subset, port];
    return fitted(parts.filter((part) => part !== undefined).join('_'));
  }
}

/**
 * `isVersion` is true for an endpoint, a list of them, or a mapping with `endpoints`. Other values are
 * mappings of subsets.
 */
function isVersion(node: TreeNode): boolean {
  return !(node instanceof MapNode) || node.entries.has('endpoints');
}

function endpointsOf(version: TreeNode): readonly TreeNode[] {
  const endpoints = version instanceof MapNode ? at(version, 'endpoints') : version;
  if (endpoints instanceof ListNode) return endpoints.items;
  return endpoints === undefined ? [] : [endpoints];
}

/** `withPolicy` applies a DestinationRule. Keys in umbra.yaml take precedence. */
function withPolicy(version: TreeNode, { keys, secure }: VersionPolicy): MapNode {
  const body = new MapNode(version.mark);
  const endpoints = endpointsOf(version).map((node) => (secure === null ? node : withScheme(node, secure)));
  if (version instanceof MapNode) for (const [key, entry] of version.entries) body.entries.set(key, entry);
  body.entries.set('endpoints', { keyMark: version.mark, node: grow(version.mark, endpoints) });
  for (const [key, growth] of Object.entries(keys)) {
    if (growth === undefined) continue;
    const ruled = grow(version.mark, growth);
    const own = body.entries.get(key)?.node;
    const node =
      own === undefined
        ? ruled
        : own instanceof MapNode && ruled instanceof MapNode
          ? joined(ruled, own)
          : own;
    body.entries.set(key, { keyMark: node.mark, node });
  }
  return body;
}

/** `setUnless` sets a key of a version, or keys within it, that the version does not have. */
function setUnless(body: MapNode, key: string, growth: Growth | undefined): void {
  if (growth === undefined) return;
  const own = body.entries.get(key)?.node;
  const grown = grow(body.mark, growth);
  const isPart = own instanceof MapNode && grown instanceof MapNode;
  if (own !== undefined && !isPart) return;
  body.entries.set(key, { keyMark: body.mark, node: isPart ? joined(grown, own) : grown });
}

function joined(first: MapNode, over: MapNode): MapNode {
  const both = new MapNode(over.mark);
  for (const [key, entry] of first.entries) both.entries.set(key, entry);
  for (const [key, entry] of over.entries) both.entries.set(key, entry);
  return both;
}

function withScheme(node: TreeNode, secure: boolean): TreeNode {
  const inner = node instanceof MapNode ? at(node, 'url') : undefined;
  if (inner !== undefined)
    return grow(node.mark, { url: withScheme(inner, secure), weight: at(node, 'weight') });
  if (!(node instanceof ScalarNode) || typeof node.value !== 'string') return node;
  const url = node.value.replace(/^https?:/, secure ? 'https:' : 'http:');
  return new ScalarNode(node.mark, url, url, false);
}
