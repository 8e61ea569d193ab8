/** `listen` of umbra.yaml, as far as Gateways are compared with it. */

import { parseAddress } from '../address.js';
import { childOf, ListNode, type TreeNode } from '../tree.js';
import { Refusal } from '../units.js';
import { at, textAt } from './look.js';

export interface Listening {
  readonly port: number;
  readonly secure: boolean;
  /** Files, as they are written. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

const addressByDefault = '127.0.0.1:8080';

/** Listeners with a port; what is malformed, the schema reports. */
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
