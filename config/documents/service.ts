/** The endpoints of hosts, from ServiceEntry and WorkloadEntry. */
import type { ConfigProblem } from '../problem.js';
import type { TreeNode } from '../tree.js';
import { type Document, errorOf } from './document.js';
import { placed } from './grow.js';
import { wholeHost } from './host-name.js';
import { at, entriesAt, itemsAt, numberAt, textAt } from './look.js';

export type Labels = ReadonlyMap<string, string>;

interface ServicePort {
  readonly number: number;
  readonly name: string;
  readonly protocol: string;
  readonly targetPort: number;
  readonly node: TreeNode;
}

interface Workload {
  readonly node: TreeNode;
  readonly labels: Labels;
}

/** Endpoints of a destination, and what is spoken to them. */
export interface ServedEndpoints {
  /** URLs, with weights where there are some. */
  readonly urls: TreeNode[];
  /** Their port is for HTTP/2. */
  readonly isHttp2: boolean;
}

export class Services {
  /** ServiceEntry documents by full host name, the oldest first. */
  readonly #entries = new Map<string, Document[]>();
  readonly #workloads: readonly Document[];

  constructor(documents: readonly Document[]) {
    this.#workloads = documents.filter(({ kind }) => kind.name === 'WorkloadEntry');
    for (const entry of documents) {
      if (entry.kind.name !== 'ServiceEntry') continue;
      for (const host of itemsAt(entry.spec, 'hosts')) {
        const whole = wholeHost(textAt(host) ?? '', entry.namespace);
        this.#entries.set(whole, [...(this.#entries.get(whole) ?? []), entry]);
      }
    }
  }

  has(host: string): boolean {
    return this.#entries.has(host);
  }

  /**
   * `endpoints` returns the endpoints of `host` that have all of `labels`. `secure` overrides the port's
   * protocol. Endpoints of several entries speak HTTP/2 if one of their ports does.
   */
  endpoints(
    host: string,
    portNumber: number | undefined,
    labels: Labels,
    secure: boolean | null,
    problems: ConfigProblem[],
  ): ServedEndpoints {
    let isHttp2 = false;
    const urls = (this.#entries.get(host) ?? []).flatMap((entry) => {
      const port = choosePort(entry, portNumber, problems);
      if (port === null) return [];
      if (http2Protocols.includes(port.protocol)) isHttp2 = true;
      const scheme = (secure ?? port.protocol === 'HTTPS') ? 'https' : 'http';
      return this.#workloadsOf(entry, host, problems)
        .filter((workload) => covers(workload.labels, labels))
        .map(({ node }) => urlNode(node, scheme, port));
    });
    return { urls, isHttp2 };
  }

  #workloadsOf(entry: Document, host: string, problems: ConfigProblem[]): Workload[] {
    const own = itemsAt(entry.spec, 'endpoints').map(workloadOf);
    const selector = at(entry.spec, 'workloadSelector', 'labels');
    const chosen =
      selector === undefined
        ? []
        : this.#workloads
            .filter(({ namespace }) => namespace === entry.namespace)
            .map(({ spec }) => workloadOf(spec))
            .filter(({ labels }) => covers(labels, labelsAt(selector)));
    const all = [...own, ...chosen];
    if (all.length > 0 || selector !== undefined) return all;
    const resolution = textAt(entry.spec, 'resolution') ?? 'NONE';
    if (resolution.startsWith('DNS'))
      return [{ node: placed(entry.spec, { address: host }), labels: new Map() }];
    const message = `resolution: ${resolution} needs \`endpoints\` or \`workloadSelector\` here`;
    problems.push(errorOf(entry, (at(entry.spec, 'resolution') ?? entry.spec).mark, message));
    return [];
  }
}

/** `covers` returns true when `labels` contains every label of `wanted` with its value. */
function covers(labels: Labels, wanted: Labels): boolean {
  for (const [name, value] of wanted) if (labels.get(name) !== value) return false;
  return true;
}

export function labelsAt(node: TreeNode | undefined): Labels {
  return new Map(entriesAt(node).map(([name, entry]) => [name, textAt(entry.node) ?? '']));
}

function workloadOf(node: TreeNode): Workload {
  return { node, labels: labelsAt(at(node, 'labels')) };
}

/**
 * `choosePort` returns the port of this number, or the first HTTP port. It returns null after reporting why
 * there is none.
 */
function choosePort(
  entry: Document,
  portNumber: number | undefined,
  problems: ConfigProblem[],
): ServicePort | null {
  const ports = itemsAt(entry.spec, 'ports').map(portOf);
  const chosen = ports.find((port) =>
    portNumber === undefined ? speaksHttp(port) : port.number === portNumber,
  );
  if (chosen !== undefined && speaksHttp(chosen)) return chosen;
  const [mark, message] =
    chosen !== undefined
      ? [chosen.node.mark, `port ${chosen.number} is ${chosen.protocol}: umbra speaks HTTP`]
      : portNumber !== undefined
        ? [
            (at(entry.spec, 'ports') ?? entry.spec).mark,
            `has no port ${portNumber}, which a destination asks for`,
          ]
        : [(at(entry.spec, 'ports') ?? entry.spec).mark, 'has no port for HTTP'];
  problems.push(errorOf(entry, mark, message));
  return null;
}

/** Protocols that are HTTP/2 on the wire, as in Istio (pkg/config/protocol: `IsHTTP2`). */
const http2Protocols: readonly string[] = ['HTTP2', 'GRPC', 'GRPC-WEB'];
const httpProtocols: readonly string[] = ['HTTP', 'HTTPS', ...http2Protocols];

/** `isHttp` is true for a protocol of a port, in capitals, that umbra speaks or listens for. */
export function isHttp(protocol: string): boolean {
  return httpProtocols.includes(protocol);
}

function speaksHttp({ protocol }: ServicePort): boolean {
  return isHttp(protocol);
}

function portOf(node: TreeNode): ServicePort {
  const number = numberAt(node, 'number') ?? 0;
  return {
    number,
    name: textAt(node, 'name') ?? '',
    protocol: textAt(node, 'protocol')?.toUpperCase() ?? 'HTTP',
    targetPort: numberAt(node, 'targetPort') ?? number,
    node,
  };
}

function urlNode(workload: TreeNode, scheme: string, port: ServicePort): TreeNode {
  const address = at(workload, 'address') ?? workload;
  const text = textAt(address) ?? '';
  const number = numberAt(workload, 'ports', port.name) ?? port.targetPort;
  const url = text.startsWith('unix://')
    ? `unix:${text.slice('unix://'.length)}`
    : `${scheme}://${text.includes(':') ? `[${text}]` : text}:${number}`;
  const weight = numberAt(workload, 'weight') ?? 0;
  return placed(address, weight > 1 ? { url, weight } : url);
}
