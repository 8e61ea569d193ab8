/** ReferenceGrants: the routes that may have backends in another namespace. */
import type { TreeNode } from '../tree.js';
import type { Document } from './document.js';
import { itemsAt, textAt } from './look.js';

const routeGroup = 'gateway.networking.k8s.io';

export class ReferenceGrants {
  readonly #grants: readonly Document[];

  constructor(documents: readonly Document[]) {
    this.#grants = documents.filter(({ kind }) => kind.name === 'ReferenceGrant');
  }

  /**
   * `permit` returns true when the route `from` may have the Service `name` of `namespace` as a backend.
   */
  permit(from: Document, namespace: string, name: string): boolean {
    if (from.namespace === namespace) return true;
    return this.#grants.some(
      (grant) =>
        grant.namespace === namespace &&
        itemsAt(grant.spec, 'from').some(
          (one) => isOf(one, routeGroup, from.kind.kind) && textAt(one, 'namespace') === from.namespace,
        ) &&
        itemsAt(grant.spec, 'to').some(
          (one) => isOf(one, '', 'Service') && (textAt(one, 'name') ?? name) === name,
        ),
    );
  }
}

function isOf(node: TreeNode, group: string, kind: string): boolean {
  return textAt(node, 'kind') === kind && (textAt(node, 'group') ?? '') === group;
}
