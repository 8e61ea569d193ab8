/** Applies or deletes documents: computes the new content of the store, and a line for each document. */
import { type ConfigProblem, errorAt } from '../problem.js';
import { readTrees } from '../read-tree.js';
import { ListNode, MapNode, plainValue, ScalarNode, type TreeNode } from '../tree.js';
import { withAddresses } from './cluster-addresses.js';
import { type Document, keyOf, type ReadDocuments, readDocuments, type TextFile } from './document.js';
import { changeLine } from './facts.js';
import { findKind, type Kind, kindByWord, unknownKind } from './kinds.js';
import { withoutLists } from './lists.js';
import { at, textAt } from './look.js';
import { verdictOn } from './other-kinds.js';
import { type DocumentSource, readSources } from './sources.js';

export interface DocumentChange {
  readonly what: 'apply' | 'delete';
  readonly files: readonly TextFile[];
  /** Kinds that umbra does not support are refused rather than skipped. */
  readonly strict: boolean;
}

export type ChangedStore =
  | {
      ok: true;
      /** All applied documents after the change. New ones have their positions in the files. */
      documents: Document[];
      lines: string[];
      told: string[];
      warnings: ConfigProblem[];
    }
  | { ok: false; problems: ConfigProblem[] };

type Store = Extract<DocumentSource, { kind: 'store' }>;

/**
 * `changeStore` computes a change. `store` has the documents applied so far, and `beside` those of files.
 * With one problem nothing changes. `nowMs` is the age of documents without a timestamp.
 */
export function changeStore(
  store: Store,
  beside: readonly DocumentSource[],
  change: DocumentChange,
  namespace: string,
  nowMs: number,
): ChangedStore {
  const options = { namespace, strict: change.strict };
  const stored = readSources([store], options);
  const others = readSources(beside, { ...options, strict: false });
  // Documents in force must be readable. If they are not, the following load reports it.
  const before = new Map(stored.documents.map((document) => [keyOf(document), document]));
  const fromFiles = new Map(others.documents.map((document) => [keyOf(document), document]));
  return change.what === 'apply'
    ? applied(before, fromFiles, readDocuments(change.files, options), change.files, nowMs)
    : deleted(before, fromFiles, change.files, namespace);
}

type Documents = ReadonlyMap<string, Document>;

function applied(
  before: Documents,
  fromFiles: Documents,
  read: ReadDocuments,
  files: readonly TextFile[],
  nowMs: number,
): ChangedStore {
  const after = new Map(before);
  const errors = read.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return { ok: false, problems: read.problems };
  if (read.documents.length === 0 && read.problems.length === 0 && files.length > 0)
    return {
      ok: false,
      problems: [errorAt({ file: files[0].file, line: 1, column: 1 }, 'holds no document')],
    };
  const told = read.documents.map((document) => {
    const key = keyOf(document);
    const old = before.get(key) ?? fromFiles.get(key) ?? null;
    const createdMs = document.createdMs ?? before.get(key)?.createdMs ?? nowMs;
    after.set(key, { ...document, createdMs });
    const isSame = old !== null && sameContent(old, document);
    return isSame ? `${document.label} unchanged` : changeLine(document.label, old, document);
  });
  return changedTo(after, told, read.problems);
}

/** `deleted` only reads the kind, namespace and name of the documents to delete. */
function deleted(
  before: Documents,
  fromFiles: Documents,
  files: readonly TextFile[],
  namespace: string,
): ChangedStore {
  const after = new Map(before);
  const problems: ConfigProblem[] = [];
  const told: string[] = [];
  for (const { file, text } of files) {
    const { roots, problems: ofFile } = readTrees(text, file);
    problems.push(...ofFile);
    for (const root of withAddresses(roots.flatMap(withoutLists), namespace)) {
      const found = kindOf(root);
      if (found === null) continue;
      if (typeof found === 'string') {
        problems.push(errorAt(root.mark, found));
        continue;
      }
      const kind = found.name;
      const name = textAt(root, 'metadata', 'name') ?? '';
      const own = textAt(root, 'metadata', 'namespace') ?? namespace;
      const key = `${kind}/${own}/${name}`;
      const label = `${kind.toLowerCase()}/${own === namespace ? name : `${own}/${name}`}`;
      const document = after.get(key);
      const other = fromFiles.get(key);
      if (document !== undefined) {
        after.delete(key);
        told.push(changeLine(document.label, document, null));
      } else if (other !== undefined) {
        const { file: where } = other.mark;
        problems.push(errorAt(root.mark, `${label} was not applied but is in ${where}: remove it there`));
      } else problems.push(errorAt(root.mark, `${label} does not exist`));
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return changedTo(after, told, []);
}

function changedTo(after: Documents, told: string[], warnings: ConfigProblem[]): ChangedStore {
  const documents = [...after.values()];
  return { ok: true, documents, lines: documents.map((document) => lineOf(document)), told, warnings };
}

/**
 * `kindOf` returns null for a kind that is skipped, and a text for a problem. Commands write kinds in any
 * case.
 */
function kindOf(root: TreeNode): Kind | string | null {
  const name = textAt(root, 'kind') ?? '';
  const apiVersion = textAt(root, 'apiVersion') ?? '';
  const kind = findKind(apiVersion, name) ?? kindByWord(name);
  if (kind !== null) return kind;
  return verdictOn(apiVersion, name) === null || name === '' ? unknownKind(name) : null;
}

/** `lineOf` stores the document without fields that a server added, but with its age. */
function lineOf(document: Document, createdMs: number | null = document.createdMs): string {
  const { namespace, root } = document;
  const metadata = at(root, 'metadata');
  const kept = (name: string) => {
    const node = at(metadata, name);
    return node === undefined ? undefined : plainValue(node);
  };
  return JSON.stringify({
    apiVersion: textAt(root, 'apiVersion'),
    kind: document.kind.kind,
    metadata: {
      name: document.name,
      namespace,
      labels: kept('labels'),
      annotations: kept('annotations'),
      creationTimestamp: new Date(createdMs ?? 0).toISOString(),
    },
    spec: withoutNulls(document.spec),
  });
}

function sameContent(a: Document, b: Document): boolean {
  const content = (document: Document) => {
    const line = JSON.parse(lineOf(document, 0)) as { apiVersion?: string };
    return JSON.stringify({ ...line, apiVersion: undefined });
  };
  return content(a) === content(b);
}

function withoutNulls(node: TreeNode): unknown {
  if (node instanceof ListNode) return node.items.map(withoutNulls);
  if (!(node instanceof MapNode)) return node.value;
  const kept = [...node.entries].filter(
    ([, entry]) => !(entry.node instanceof ScalarNode && entry.node.value === null),
  );
  return Object.fromEntries(kept.map(([key, entry]) => [key, withoutNulls(entry.node)]));
}
