/**
 * Rules of a VirtualService that delegate to another one. They are replaced by the other's rules, with the
 * conditions of both, as in Istio (pilot: `mergeHTTPRoute`).
 */
import type { ConfigProblem, Mark } from '../problem.js';
import { MapNode, type TreeNode } from '../tree.js';
import { type Document, errorOf, warnOf } from './document.js';
import { grow } from './grow.js';
import { at, booleanAt, entriesAt, itemsAt, textAt } from './look.js';

/** A rule, and the document to which its short names belong. */
export interface OwnedRule {
  readonly document: Document;
  readonly rule: TreeNode;
}

/** Keys that a rule inherits from the delegating rule if it does not have them. */
const inherited = [
  'rewrite',
  'directResponse',
  'timeout',
  'retries',
  'fault',
  'mirror',
  'mirrors',
  'mirrorPercent',
  'mirrorPercentage',
  'corsPolicy',
  'headers',
];
/** Conditions of which one counts, and conditions that are merged by name. */
const single = ['uri', 'scheme', 'method', 'authority', 'port'];
const byName = ['headers', 'withoutHeaders', 'queryParams'];

export class Delegates {
  readonly #services: ReadonlyMap<string, Document>;
  readonly #problems: ConfigProblem[];
  readonly #used = new Set<Document>();

  constructor(documents: readonly Document[], problems: ConfigProblem[]) {
    const services = documents.filter(({ kind }) => kind.name === 'VirtualService');
    this.#services = new Map(services.map((one) => [`${one.namespace}/${one.name}`, one]));
    this.#problems = problems;
  }

  /** `rulesOf` returns the rules of a VirtualService with hosts, including those of its delegates. */
  rulesOf(document: Document): OwnedRule[] {
    return itemsAt(document.spec, 'http').flatMap((rule) => {
      const delegate = at(rule, 'delegate');
      return delegate === undefined ? [{ document, rule }] : this.#delegated(document, rule, delegate);
    });
  }

  #delegated(document: Document, rule: TreeNode, delegate: TreeNode): OwnedRule[] {
    const name = `${textAt(delegate, 'namespace') ?? document.namespace}/${textAt(delegate, 'name') ?? ''}`;
    const other = this.#services.get(name);
    if (at(rule, 'route') !== undefined || at(rule, 'redirect') !== undefined)
      return this.#refuse(
        document,
        delegate.mark,
        '`delegate` excludes `route` and `redirect`: the other VirtualService has them',
      );
    if (other === undefined)
      return this.#refuse(
        document,
        delegate.mark,
        `delegate: VirtualService ${name} is not among the documents`,
      );
    if (itemsAt(other.spec, 'hosts').length > 0)
      return this.#refuse(document, delegate.mark, `delegate: VirtualService ${name} has hosts of its own`);
    this.#used.add(other);
    return itemsAt(other.spec, 'http').flatMap((inner): OwnedRule[] => {
      if (at(inner, 'delegate') !== undefined)
        return this.#refuse(other, inner.mark, "`delegate` can't be nested");
      const merged = mergeRules(rule, inner);
      if (merged !== null) return [{ document: other, rule: merged }];
      const message = `the rule is never used: its conditions are not within those of ${document.label}`;
      this.#problems.push(warnOf(other, inner.mark, message));
      return [];
    });
  }

  /** Documents without hosts that nothing delegates to have no effect. */
  reportUnused(): void {
    for (const document of this.#services.values()) {
      if (itemsAt(document.spec, 'hosts').length > 0 || this.#used.has(document)) continue;
      const message = 'has no `hosts`, and no other VirtualService delegates to it: it has no effect';
      this.#problems.push(warnOf(document, document.mark, message));
    }
  }

  #refuse(document: Document, mark: Mark, message: string): [] {
    this.#problems.push(errorOf(document, mark, message));
    return [];
  }
}

/** `mergeRules` returns null when no request matches both. */
function mergeRules(outer: TreeNode, inner: TreeNode): TreeNode | null {
  const matches = mergeMatches(itemsAt(outer, 'match'), itemsAt(inner, 'match'));
  if (matches === null) return null;
  const merged = copyOf(inner);
  if (matches.length > 0) set(merged, 'match', grow(inner.mark, matches));
  for (const key of inherited) {
    const node = at(outer, key);
    if (node !== undefined && at(inner, key) === undefined) set(merged, key, node);
  }
  const names = [textAt(outer, 'name'), textAt(inner, 'name')].filter((name) => name !== undefined);
  if (names.length > 0) set(merged, 'name', grow(inner.mark, names.join('-')));
  return merged;
}

function mergeMatches(outer: readonly TreeNode[], inner: readonly TreeNode[]): TreeNode[] | null {
  if (outer.length === 0) return [...inner];
  if (inner.length === 0) return [...outer];
  const merged: TreeNode[] = [];
  for (const own of inner) {
    const fitting = outer.filter((other) => !conflict(other, own));
    if (fitting.length === 0) return null;
    merged.push(...fitting.map((other) => mergeMatch(other, own)));
  }
  return merged;
}

function mergeMatch(outer: TreeNode, inner: TreeNode): TreeNode {
  const merged = copyOf(inner);
  for (const key of [...single, 'ignoreUriCase']) {
    const node = at(outer, key);
    if (node !== undefined && at(inner, key) === undefined) set(merged, key, node);
  }
  for (const key of byName) {
    const node = at(outer, key);
    if (node === undefined) continue;
    const both = copyOf(node);
    for (const [name, entry] of entriesAt(inner, key)) both.entries.set(name, entry);
    set(merged, key, both);
  }
  return merged;
}

/** `conflict` returns true when `inner` is not certainly within `outer`. */
function conflict(outer: TreeNode, inner: TreeNode): boolean {
  const texts = single.filter((key) => key !== 'port');
  if (texts.some((key) => textConflict(at(outer, key), at(inner, key)))) return true;
  if ((booleanAt(outer, 'ignoreUriCase') ?? false) !== (booleanAt(inner, 'ignoreUriCase') ?? false))
    return true;
  for (const key of byName) {
    for (const [name, { node }] of entriesAt(inner, key))
      if (textConflict(at(outer, key, name), node)) return true;
  }
  return false;
}

function textConflict(outer: TreeNode | undefined, inner: TreeNode | undefined): boolean {
  if (outer === undefined || inner === undefined) return false;
  const within = textAt(inner, 'exact') ?? textAt(inner, 'prefix');
  const exact = textAt(outer, 'exact');
  const prefix = textAt(outer, 'prefix');
  if (within === undefined || (exact === undefined && prefix === undefined)) return true;
  return exact === undefined ? !within.startsWith(prefix!) : textAt(inner, 'exact') !== exact;
}

function copyOf(node: TreeNode): MapNode {
  const copy = new MapNode(node.mark);
  if (node instanceof MapNode) for (const [key, entry] of node.entries) copy.entries.set(key, entry);
  return copy;
}

function set(map: MapNode, key: string, node: TreeNode): void {
  map.entries.set(key, { keyMark: node.mark, node });
}
