/**
 * Gateways among the documents. umbra opens no listener for them: their listeners are compared with `listen`
 * of umbra.yaml, and routes of a Gateway get the hosts and ports of its listeners.
 */

import type { ConfigProblem, Mark } from '../problem.js';
import type { TreeNode } from '../tree.js';
import { type Document, keyOf, warnOf } from './document.js';
import { type Listening, parseListen } from './listen-ports.js';
import { at, itemsAt, numberAt, textAt } from './look.js';
import { isHttp } from './service.js';

interface Listener {
  readonly name: string;
  readonly port: number;
  readonly secure: boolean;
  /** `*` for every host. */
  readonly hosts: readonly string[];
  readonly mark: Mark;
  readonly node: TreeNode;
}

/** The requests that reach a route through its Gateways. */
export interface Binding {
  readonly hosts: readonly string[];
  /** Null: the port of every listener. */
  readonly port: number | null;
}

/** The listeners of a Gateway that a route selects. */
export interface Wanted {
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
}

export const everything: Binding = { hosts: ['*'], port: null };

export class Gateways {
  readonly #listeners = new Map<string, readonly Listener[]>();
  readonly #ports: ReadonlySet<number>;

  /** `root` is umbra.yaml. Listeners that do not match its `listen` are added to `problems`. */
  constructor(documents: readonly Document[], root: TreeNode, problems: ConfigProblem[]) {
    const listening = parseListen(root);
    this.#ports = new Set(listening.map(({ port }) => port));
    for (const document of documents) {
      const { kind, spec } = document;
      if (kind.name !== 'Gateway' && kind.name !== 'IstioGateway') continue;
      const given = itemsAt(spec, kind.name === 'Gateway' ? 'listeners' : 'servers');
      const listeners = given.flatMap(kind.name === 'Gateway' ? listenerOf : serverOf);
      for (const listener of listeners) {
        const why = misfit(listener, listening);
        if (why !== null) problems.push(warnOf(document, listener.mark, why));
        const twin = this.#twinOf(document, listener);
        if (twin === null) continue;
        const message = `listener \`${listener.name}\` takes hosts that ${twin} takes on port ${listener.port} too: umbra can't distinguish the two, and routes of both take their requests`;
        problems.push(warnOf(document, listener.mark, message));
      }
      this.#listeners.set(keyOf(document), listeners);
    }
  }

  /** `#twinOf` returns the earlier Gateway with one of the same hosts on the same port, or null. */
  #twinOf(document: Document, { port, hosts }: Listener): string | null {
    for (const [key, listeners] of this.#listeners) {
      const isTwin = listeners.some(
        (one) => one.port === port && one.hosts.some((host) => hosts.includes(host)),
      );
      if (key !== keyOf(document) && isTwin) return key.replace(/^[^/]*/, 'Gateway');
    }
    return null;
  }

  /**
   * `bindings` returns null when no such Gateway is among the documents, and an empty list when no listener
   * is selected.
   */
  bindings(
    kind: 'Gateway' | 'IstioGateway',
    namespace: string,
    name: string,
    wanted: Wanted,
  ): Binding[] | null {
    const listeners = this.#listeners.get(`${kind}/${namespace}/${name}`);
    if (listeners === undefined) return null;
    return listeners
      .filter((one) => wanted.sectionName === undefined || wanted.sectionName === one.name)
      .filter((one) => wanted.port === undefined || wanted.port === one.port)
      .map(({ hosts, port }) => ({ hosts, port: this.matched(port) }));
  }

  /**
   * `matched` returns null for a port without a listener: it would match no request, so it is not used as a
   * condition.
   */
  matched(port: number | undefined): number | null {
    return port !== undefined && this.#ports.has(port) ? port : null;
  }
}

/**
 * `commonHosts` returns the hosts of `own` that a listener accepts. Of a name and a matching wildcard it
 * returns the narrower one.
 */
export function commonHosts(own: readonly string[], ofListener: readonly string[]): string[] {
  const common = own.flatMap((host) =>
    ofListener.flatMap((other) => (isWithin(host, other) ? [host] : isWithin(other, host) ? [other] : [])),
  );
  return [...new Set(common)];
}

function isWithin(host: string, wide: string): boolean {
  return wide === '*' || host === wide || (wide.startsWith('*.') && host.endsWith(wide.slice(1)));
}

function listenerOf(node: TreeNode): Listener[] {
  const protocol = textAt(node, 'protocol')?.toUpperCase() ?? '';
  if (!isHttp(protocol)) return [];
  return [
    {
      name: textAt(node, 'name') ?? '',
      port: numberAt(node, 'port') ?? 0,
      secure: protocol === 'HTTPS',
      hosts: [(textAt(node, 'hostname') || '*').toLowerCase()],
      mark: node.mark,
      node,
    },
  ];
}

function serverOf(node: TreeNode): Listener[] {
  const protocol = textAt(node, 'port', 'protocol')?.toUpperCase() ?? 'HTTP';
  if (!isHttp(protocol)) return [];
  return [
    {
      name: textAt(node, 'name') ?? textAt(node, 'port', 'name') ?? '',
      port: numberAt(node, 'port', 'number') ?? 0,
      secure: protocol === 'HTTPS',
      // `namespace/host` limits the routes to a namespace. umbra has the routes of all namespaces.
      hosts: itemsAt(node, 'hosts').map((host) => (textAt(host) ?? '').toLowerCase().replace(/^[^/]*\//, '')),
      mark: node.mark,
      node,
    },
  ];
}

/** `misfit` returns why `listen` does not match the listener, or null. */
function misfit({ name, port, secure, node }: Listener, listening: readonly Listening[]): string | null {
  const called = `listener \`${name}\` on port ${port}`;
  const found = listening.filter((one) => one.port === port);
  if (found.length === 0)
    return `${called}: \`listen\` of umbra.yaml has no such port, so its routes take requests of every port`;
  const alike = found.filter((one) => one.secure === secure);
  if (alike.length === 0)
    return `${called}: \`listen\` of umbra.yaml has that port ${secure ? 'without' : 'with'} \`tls\``;
  const cert = textAt(node, 'tls', 'serverCertificate');
  if (cert !== undefined && !alike.some((one) => one.cert === cert))
    return `${called}: its certificate \`${cert}\` is not that of \`listen\` of umbra.yaml`;
  const key = textAt(at(node, 'tls'), 'privateKey');
  if (key !== undefined && !alike.some((one) => one.key === key))
    return `${called}: its private key is not that of \`listen\` of umbra.yaml`;
  return null;
}
