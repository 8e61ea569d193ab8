/**
 * Checks what the schema can't, because it concerns several places at once. It works on the tree, not on the
 * understood configuration, so that these problems are reported together with all others. Malformed parts are
 * skipped, because the schema reports them.
 */
import type { Address } from '../core/plan.js';
import { collide, formatAddress, isLoopback, parseAddress } from './address.js';
import { checkMirrors, checkWays, primariesAt } from './check-route.js';
import { checkSinks } from './check-sink.js';
import { type ConfigProblem, errorAt, type Mark } from './problem.js';
import { routeName, routesExpected } from './schema.js';
import { isSinkTarget } from './sink-target.js';
import { didYouMean } from './suggest.js';
import {
  childOf,
  indexesAt,
  ListNode,
  MapNode,
  markAt,
  nodeAt,
  type Path,
  plainValue,
  type TreeNode,
  textAt,
} from './tree.js';
import { Refusal } from './units.js';

const defaultHead = '16KiB';

export function checkAcross(root: TreeNode): ConfigProblem[] {
  return [
    ...checkNotEmpty(root),
    ...checkVersions(root),
    ...checkRouteNames(root),
    ...checkMirrors(root),
    ...checkSinks(root),
    ...checkWays(root),
    ...checkAddresses(root),
    ...checkListeners(root),
  ];
}

/** `checkNotEmpty` allows no version and no route if documents may bring them while umbra runs. */
function checkNotEmpty(root: TreeNode): ConfigProblem[] {
  if (childOf(root, 'subsets') !== undefined || childOf(root, 'documents') !== undefined) return [];
  const problems: ConfigProblem[] = [];
  const versions = childOf(root, 'versions');
  if (versions instanceof MapNode && versions.entries.size === 0)
    problems.push(errorAt(versions.mark, 'versions: expected at least one version, found an empty mapping'));
  const routes = childOf(root, 'routes');
  if (routes instanceof ListNode && routes.items.length === 0)
    problems.push(errorAt(routes.mark, `routes: ${routesExpected}, found an empty list`));
  return problems;
}

/** `checkVersions` reports versions of routes that do not exist. */
function checkVersions(root: TreeNode): ConfigProblem[] {
  const versions = childOf(root, 'versions');
  if (!(versions instanceof MapNode)) return [];
  const problems: ConfigProblem[] = [];
  const check = (name: string | null, mark: Mark) => {
    if (name === null || versions.entries.has(name)) return;
    const hint = didYouMean(name, versions.entries.keys());
    problems.push(errorAt(mark, `unknown version \`${name}\`${hint}`));
  };
  for (const route of indexesAt(root, ['routes'])) {
    for (const { version, mark } of primariesAt(root, route)) check(version, mark);
    for (const mirror of indexesAt(root, ['routes', route, 'mirrors'])) {
      const path: Path = ['routes', route, 'mirrors', mirror, 'to'];
      const to = textAt(root, path);
      if (to === null || !isSinkTarget(to)) check(to, markAt(root, path));
    }
    const released: Path = ['routes', route, 'rollout', 'to'];
    check(textAt(root, released), markAt(root, released));
  }
  return problems;
}

function checkRouteNames(root: TreeNode): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const firsts = new Map<string, Mark>();
  for (const route of indexesAt(root, ['routes'])) {
    const name = routeName(textAt(root, ['routes', route, 'name']) ?? undefined, route);
    const mark = markAt(root, ['routes', route, 'name']);
    const first = firsts.get(name);
    if (first === undefined) firsts.set(name, mark);
    else
      problems.push(errorAt(mark, `route \`${name}\` is defined twice; the first is at line ${first.line}`));
  }
  return problems;
}

interface Listening {
  readonly name: string;
  readonly address: Address;
  readonly mark: Mark;
}

/** `checkAddresses` reports an address that is used twice, and an admin API on a network without a token. */
function checkAddresses(root: TreeNode): ConfigProblem[] {
  const admin = adminListening(root);
  const all = [...listeners(root), ...(admin === null ? [] : [admin])].sort(
    (a, b) => a.mark.line - b.mark.line || a.mark.column - b.mark.column,
  );
  const problems: ConfigProblem[] = [];
  all.forEach((later, index) => {
    const earlier = all.slice(0, index).find((other) => collide(other.address, later.address));
    if (earlier === undefined) return;
    const same = `${formatAddress(later.address)} is already used by ${earlier.name} (${formatAddress(earlier.address)})`;
    problems.push(errorAt(later.mark, `${later.name}: ${same}`));
  });
  if (admin !== null && !isLoopback(admin.address) && nodeAt(root, ['admin', 'token']) === undefined) {
    problems.push(
      errorAt(
        admin.mark,
        `admin: \`token\` is required, because ${formatAddress(admin.address)} can be reached from other machines`,
      ),
    );
  }
  return problems;
}

/**
 * `checkListeners` reports a mode without a socket's file, HTTP/2 on the uws engine, and several sizes of
 * heads for uWS, which has one per process.
 */
function checkListeners(root: TreeNode): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  let uwsHead: string | null = null;
  for (const path of listenerPaths(root)) {
    if (!(nodeAt(root, path) instanceof MapNode)) continue;
    const address = textAt(root, [...path, 'address']);
    const mode = nodeAt(root, [...path, 'mode']);
    if (mode !== undefined && address !== null && !address.startsWith('unix:')) {
      problems.push(errorAt(mode.mark, 'mode: only a unix socket has permissions'));
    }
    const engine = textAt(root, [...path, 'engine']);
    const protocols = nodeAt(root, [...path, 'protocols']);
    if (engine === 'uws' && protocols !== undefined && itemsOf(protocols).includes('h2')) {
      problems.push(
        errorAt(
          protocols.mark,
          'protocols: the uws engine has no HTTP/2; use `engine: node`, or leave h2 out',
        ),
      );
    }
    if (engine === 'node') continue;
    const head = textAt(root, [...path, 'head', 'max']) ?? defaultHead;
    if (uwsHead !== null && head !== uwsHead) {
      problems.push(
        errorAt(
          markAt(root, [...path, 'head', 'max']),
          `head.max: the uws engine has one size for all of its listeners, and another listener has ${uwsHead}; set the same value, or \`engine: node\``,
        ),
      );
    }
    uwsHead ??= head;
  }
  return problems;
}

/** The values of a list of scalars, or of one that stands for such a list. */
function itemsOf(node: TreeNode): unknown[] {
  return node instanceof ListNode ? node.items.map(plainValue) : [plainValue(node)];
}

function listenerPaths(root: TreeNode): Path[] {
  const node = childOf(root, 'listen');
  return node instanceof ListNode ? node.items.map((_, index) => ['listen', index]) : [['listen']];
}

function listeners(root: TreeNode): Listening[] {
  return listenerPaths(root).flatMap((path) => listeningAt(root, path, 'listen', '127.0.0.1:8080'));
}

function adminListening(root: TreeNode): Listening | null {
  const node = childOf(root, 'admin');
  if (node !== undefined && !(node instanceof MapNode)) return null;
  return listeningAt(root, ['admin'], 'admin', '127.0.0.1:9901')[0] ?? null;
}

/** `listeningAt` returns the address at a path or at its `address`, and `otherwise` when neither is given. */
function listeningAt(root: TreeNode, path: Path, name: string, otherwise: string): Listening[] {
  const addressPath = nodeAt(root, path) instanceof MapNode ? [...path, 'address'] : path;
  const isGiven = nodeAt(root, addressPath) !== undefined;
  const text = isGiven ? textAt(root, addressPath) : otherwise;
  const address = text === null ? null : parseAddress(text);
  if (address === null || address instanceof Refusal) return [];
  return [{ name: isGiven ? name : `${name} (by default)`, address, mark: markAt(root, addressPath) }];
}
