/** Checks a document beyond the shape of its fields when it is read, whether or not it is used later. */
import { type ConfigProblem, errorAt, warningAt } from '../problem.js';
import type { TreeNode } from '../tree.js';
import { isGatewayRoute, type KindName } from './kinds.js';
import { at, entriesAt, itemsAt, keyMark, numberAt, textAt } from './look.js';
import { isHttp } from './service.js';

/** `judge` takes the root of a document whose shape was checked. `label` begins every message. */
export function judge(kind: KindName, root: TreeNode, label: string): ConfigProblem[] {
  const spec = at(root, 'spec');
  const judged = new Judgement(label);
  judged.annotations(root);
  if (kind === 'DestinationRule') {
    judged.policy(at(spec, 'trafficPolicy'));
    for (const subset of itemsAt(spec, 'subsets')) judged.policy(at(subset, 'trafficPolicy'));
  }
  if (kind === 'VirtualService')
    for (const rule of itemsAt(spec, 'http'))
      for (const match of itemsAt(rule, 'match')) judged.headers(at(match, 'headers'));
  if (kind === 'ServiceEntry') judged.entry(spec);
  if (isGatewayRoute(kind)) for (const parent of itemsAt(spec, 'parentRefs')) judged.parent(parent);
  if (kind === 'Gateway') for (const listener of itemsAt(spec, 'listeners')) judged.listener(listener);
  if (kind === 'IstioGateway') for (const server of itemsAt(spec, 'servers')) judged.server(server);
  return judged.problems;
}

class Judgement {
  readonly problems: ConfigProblem[] = [];
  constructor(private readonly label: string) {}

  /** Annotations of Istio and Gateway API change the meaning of a document; others do not. */
  annotations(root: TreeNode): void {
    for (const [name, { keyMark: mark }] of entriesAt(root, 'metadata', 'annotations')) {
      const domain = name.split('/')[0];
      if (domain.endsWith('istio.io') || domain.startsWith('gateway.networking.'))
        this.#warn(mark, `annotation \`${name}\` is ignored: umbra has no such option`);
    }
  }

  policy(policy: TreeNode | undefined): void {
    this.#balancer(at(policy, 'loadBalancer', 'simple'));
    const tls = at(policy, 'tls');
    const mode = textAt(tls, 'mode');
    if (mode === 'ISTIO_MUTUAL')
      this.#error(at(tls, 'mode')!, 'tls.mode: umbra has no identity in a mesh; use SIMPLE or MUTUAL');
    const hasFiles = at(tls, 'clientCertificate') !== undefined && at(tls, 'privateKey') !== undefined;
    if (mode === 'MUTUAL' && !hasFiles)
      this.#error(tls!, 'tls: MUTUAL needs `clientCertificate` and `privateKey`');
    if (mode === 'SIMPLE' || mode === 'DISABLE') {
      for (const key of ['clientCertificate', 'privateKey'])
        if (at(tls, key) !== undefined)
          this.#warn(keyMark(tls!, key), `\`tls.${key}\` is ignored: tls.mode is ${mode}`);
    }
  }

  #balancer(simple: TreeNode | undefined): void {
    const word = textAt(simple);
    if (word === 'PASSTHROUGH')
      this.#error(simple!, 'loadBalancer.simple: umbra sends requests to endpoints that it knows');
    if (word === 'ROUND_ROBIN' || word === 'RANDOM')
      this.#warn(
        simple!.mark,
        '`loadBalancer.simple` is ignored: umbra takes the endpoint with the fewest requests',
      );
  }

  /** `entry` warns of an entry without addresses or without HTTP. A destination that uses it is refused. */
  entry(spec: TreeNode | undefined): void {
    const resolution = at(spec, 'resolution');
    const word = textAt(resolution) ?? 'NONE';
    const isEmpty = itemsAt(spec, 'endpoints').length === 0 && at(spec, 'workloadSelector') === undefined;
    if (isEmpty && !word.startsWith('DNS'))
      this.#warn(
        (resolution ?? spec!).mark,
        `resolution: with ${word} and without \`endpoints\` it has no addresses, and a destination with its host is refused`,
      );
    const ports = itemsAt(spec, 'ports');
    const speaks = (port: TreeNode) => isHttp(textAt(port, 'protocol')?.toUpperCase() ?? 'HTTP');
    for (const port of ports.filter((one) => !speaks(one)))
      this.#warn(port.mark, `port ${numberAt(port, 'number')} has no effect: umbra speaks HTTP`);
  }

  /** One header in two spellings is two conditions, as in Envoy, which it can hardly meet. */
  headers(headers: TreeNode | undefined): void {
    const seen = new Set<string>();
    for (const [name, { keyMark: mark }] of entriesAt(headers)) {
      if (seen.has(name.toLowerCase()))
        this.#warn(mark, `match.headers: \`${name}\` is there in another spelling too, and both must hold`);
      seen.add(name.toLowerCase());
    }
  }

  parent(parent: TreeNode): void {
    const kind = textAt(parent, 'kind') ?? 'Gateway';
    if (kind !== 'Gateway' && kind !== 'Service')
      this.#warn(parent.mark, `the parent of kind ${kind} is ignored: umbra knows Gateway and Service`);
  }

  listener(listener: TreeNode): void {
    if (textAt(listener, 'tls', 'mode') === 'Passthrough')
      this.#error(
        at(listener, 'tls', 'mode')!,
        'tls.mode: umbra routes only HTTP, and terminates TLS itself',
      );
    this.#protocol(listener, at(listener, 'protocol'), numberAt(listener, 'port'));
  }

  server(server: TreeNode): void {
    const mode = at(server, 'tls', 'mode');
    if (mode !== undefined && textAt(mode) !== 'SIMPLE')
      this.#error(
        mode,
        `tls.mode: ${textAt(mode)} can't be carried out: umbra terminates TLS with its own certificate`,
      );
    this.#protocol(server, at(server, 'port', 'protocol'), numberAt(server, 'port', 'number'));
  }

  #protocol(listener: TreeNode, protocol: TreeNode | undefined, port: number | undefined): void {
    const word = textAt(protocol)?.toUpperCase() ?? 'HTTP';
    if (isHttp(word)) return;
    this.#warn(
      (protocol ?? listener).mark,
      `the listener on port ${port} is ignored: umbra does not listen for ${word}`,
    );
  }

  #warn(mark: TreeNode['mark'], message: string): void {
    this.problems.push(warningAt(mark, `${this.label}: ${message}`));
  }

  #error(node: TreeNode, message: string): void {
    this.problems.push(errorAt(node.mark, `${this.label}: ${message}`));
  }
}
