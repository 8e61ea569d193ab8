/**
 * Documents in a file: they are read, identified by kind and checked field by field. One invalid document
 * refuses the whole file, so that a change is never applied in part.
 */
import { type ConfigProblem, errorAt, type Mark, warningAt } from '../problem.js';
import { readTrees } from '../read-tree.js';
import { MapNode, type TreeNode } from '../tree.js';
import { checkShape } from './check-shape.js';
import { withAddresses } from './cluster-addresses.js';
import { judge } from './judge.js';
import { findKind, type Kind, unknownKind } from './kinds.js';
import { withoutLists } from './lists.js';
import { at, textAt } from './look.js';
import { verdictOn } from './other-kinds.js';

export interface Document {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** `virtualservice/reviews`, with `prod/` before the name outside the default namespace. */
  readonly label: string;
  /** Milliseconds since 1970; null when the document has no timestamp. */
  readonly createdMs: number | null;
  readonly root: MapNode;
  readonly spec: TreeNode;
  readonly mark: Mark;
}

export interface ReadDocuments {
  /** Empty when there is an error. */
  readonly documents: Document[];
  readonly problems: ConfigProblem[];
}

/** Kubernetes: RFC 1123 subdomain. */
const objectName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const objectNameLengthMax = 253;

/** Options for reading documents. */
export interface ReadOptions {
  /** The namespace of documents without one. */
  readonly namespace: string;
  /** Kinds that umbra does not support are refused rather than skipped. */
  readonly strict: boolean;
}

export interface TextFile {
  /** A name for positions. */
  readonly file: string;
  readonly text: string;
}

/**
 * `readDocuments` reads documents of files that belong together: one may have the addresses of another. It
 * never throws.
 */
export function readDocuments(files: readonly TextFile[], options: ReadOptions): ReadDocuments {
  const roots: TreeNode[] = [];
  const problems: ConfigProblem[] = [];
  for (const { file, text } of files) {
    const read = readTrees(text, file);
    roots.push(...read.roots);
    problems.push(...read.problems);
  }
  if (problems.length > 0) return { documents: [], problems };
  const documents: Document[] = [];
  for (const root of withAddresses(roots.flatMap(withoutLists), options.namespace)) {
    const read = readDocument(root, options);
    problems.push(...read.problems);
    if (read.document !== null) documents.push(read.document);
  }
  problems.push(...twiceIn(documents));
  const refused = problems.some(({ severity }) => severity === 'error');
  return { documents: refused ? [] : documents, problems };
}

/** `keyOf` returns the identity of a document: a later document with the same key replaces it. */
export function keyOf({ kind, namespace, name }: Pick<Document, 'kind' | 'namespace' | 'name'>): string {
  return `${kind.name}/${namespace}/${name}`;
}

/** `readDocument` reads one document from its tree. */
export function readDocument(
  root: TreeNode,
  { namespace: namespaceByDefault, strict }: ReadOptions,
): { document: Document | null; problems: ConfigProblem[] } {
  const refuse = (mark: Mark, message: string) => ({ document: null, problems: [errorAt(mark, message)] });
  if (!(root instanceof MapNode))
    return refuse(root.mark, 'expected a document with apiVersion, kind, metadata and spec');
  const apiVersion = textAt(root, 'apiVersion');
  const kindName = textAt(root, 'kind');
  if (apiVersion === undefined) return refuse(root.mark, 'the document: `apiVersion` is missing');
  if (kindName === undefined) return refuse(root.mark, 'the document: `kind` is missing');
  const kind = findKind(apiVersion, kindName);
  const { mark } = at(root, 'kind')!;
  const name = textAt(root, 'metadata', 'name') ?? '';
  const namespace = textAt(root, 'metadata', 'namespace') ?? namespaceByDefault;
  const shortName = namespace === namespaceByDefault ? name : `${namespace}/${name}`;
  if (typeof kind === 'string') return refuse(mark, kind);
  if (kind === null) {
    const verdict = verdictOn(apiVersion, kindName);
    if (verdict === null) return refuse(mark, unknownKind(kindName));
    const called = `${kindName.toLowerCase()}/${shortName}`;
    if (strict || verdict.is === 'refused')
      return refuse(mark, `${called}: ${kindName} can't be carried out: ${verdict.why}`);
    return { document: null, problems: [warningAt(mark, `${called} is passed over: ${verdict.why}`)] };
  }

  const label = `${kind.name.toLowerCase()}/${shortName}`;
  const problems = checkShape(root, kind.document, label);
  for (const part of ['name', 'namespace']) {
    const node = at(root, 'metadata', part);
    const value = textAt(node);
    if (node === undefined || value === undefined) continue;
    if (!objectName.test(value) || value.length > objectNameLengthMax)
      problems.push(
        errorAt(
          node.mark,
          `metadata.${part}: expected a name of lower-case letters, digits, - and . (RFC 1123)`,
        ),
      );
  }
  const created = at(root, 'metadata', 'creationTimestamp');
  const createdMs = created === undefined ? null : Date.parse(textAt(created) ?? '');
  if (created !== undefined && Number.isNaN(createdMs))
    problems.push(errorAt(created.mark, `${label}: metadata.creationTimestamp: expected a time (RFC 3339)`));
  const spec = at(root, 'spec') ?? new MapNode(root.mark);
  if (problems.every(({ severity }) => severity !== 'error')) problems.push(...judge(kind.name, root, label));
  return {
    document: { kind, namespace, name, label, createdMs, root, spec, mark: root.mark },
    problems,
  };
}

function twiceIn(documents: readonly Document[]): ConfigProblem[] {
  const firsts = new Map<string, Document>();
  return documents.flatMap((document) => {
    const key = keyOf(document);
    const first = firsts.get(key);
    if (first === undefined) {
      firsts.set(key, document);
      return [];
    }
    const { file, line } = first.mark;
    return [errorAt(document.mark, `${document.label} is given twice; the first is at ${file}:${line}`)];
  });
}

/**
 * `byAge` sorts documents like Istio, the oldest first. Those without a timestamp come before all others, in
 * their given order. Documents of the same age are sorted by name.
 */
export function byAge(documents: readonly Document[]): Document[] {
  return documents
    .map((document, index) => ({ document, index }))
    .sort((a, b) => {
      const [x, y] = [a.document, b.document];
      if (x.createdMs === null && y.createdMs === null) return a.index - b.index;
      if (x.createdMs !== y.createdMs)
        return (x.createdMs ?? Number.NEGATIVE_INFINITY) - (y.createdMs ?? Number.NEGATIVE_INFINITY);
      return compare(`${x.namespace}/${x.name}`, `${y.namespace}/${y.name}`) || a.index - b.index;
    })
    .map(({ document }) => document);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function warnOf(document: Document, mark: Mark, message: string): ConfigProblem {
  return warningAt(mark, `${document.label}: ${message}`);
}

export function errorOf(document: Document, mark: Mark, message: string): ConfigProblem {
  return errorAt(mark, `${document.label}: ${message}`);
}
