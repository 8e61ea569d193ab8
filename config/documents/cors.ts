/** `corsPolicy` of a VirtualService, and the CORS filter of an HTTPRoute, as `cors` of a route. */
import type { TreeNode } from '../tree.js';
import { type Growth, placed } from './grow.js';
import { at, itemsAt, numberAt, textAt } from './look.js';
import { durationNode } from './traffic-policy.js';

/** Default of `maxAge` in Gateway API, in seconds. */
const maxAgeByDefaultS = 5;

export function corsOfPolicy(policy: TreeNode): Growth {
  const old = itemsAt(policy, 'allowOrigin').map((origin) => ({ exact: origin }));
  const maxAge = at(policy, 'maxAge');
  return placed(policy, {
    origins: at(policy, 'allowOrigin') === undefined ? itemsAt(policy, 'allowOrigins') : old,
    ...commonKeys(policy),
    maxAge: maxAge === undefined ? undefined : durationNode(maxAge),
    unmatched: textAt(policy, 'unmatchedPreflights') === 'IGNORE' ? 'answer' : 'forward',
  });
}

export function corsOfFilter(filter: TreeNode): Growth {
  return placed(filter, {
    origins: itemsAt(filter, 'allowOrigins').map(originOf),
    ...commonKeys(filter),
    maxAge: `${numberAt(filter, 'maxAge') ?? maxAgeByDefaultS}s`,
  });
}

function commonKeys(node: TreeNode): Record<string, Growth | undefined> {
  return {
    methods: at(node, 'allowMethods'),
    headers: at(node, 'allowHeaders'),
    expose: at(node, 'exposeHeaders'),
    credentials: at(node, 'allowCredentials'),
  };
}

/** `originOf` converts `https://*.example.com`, which matches any name below, at any depth. */
function originOf(origin: TreeNode): Growth {
  const text = textAt(origin) ?? '';
  if (text === '*' || !text.includes('*')) return placed(origin, { exact: origin });
  const regex = text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.+');
  return placed(origin, { regex });
}
