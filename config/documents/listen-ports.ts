/** The parts of `listen` in umbra.yaml that are compared with Gateways. */

import { parseAddress } from '../address.js';
import { childOf, ListNode, type TreeNode } from '../tree.js';
import { Refusal } from '../units.js';
import { at, textAt } from './look.js';

export interface Listening {
  readonly port: number;
  readonly secure: boolean;
  /** Paths of files as written. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

const addressByDefault = '127.0.0.1:8080';

/** `parseListen` returns the listeners with a port. The schema reports malformed ones. */
export function parseListen(root: TreeNode): Listening[] {
  const listen = childOf(root, 'listen');
  const nodes = listen instanceof ListNode ? listen.items : [listen];
  return nodes.flatMap((node) => {
    const address = parseAddress(textAt(node) ?? textAt(node, 'address') ?? addressByDefault);
    if (address instanceof Refusal || address.kind === 'unix' || address.port === 0) return [];
    const tls = at(node, 'tls');
    return [
      {
        port: address.port,
        secure: tls !== undefined,
        cert: textAt(tls, 'cert'),
        key: textAt(tls, 'key'),
      },
    ];
  });
}
