/** Where documents come from, and which of them are in force. */
import { type ConfigProblem, errorAt } from '../problem.js';
import {
  type Document,
  keyOf,
  type ReadOptions,
  readDocument,
  readDocuments,
  type TextFile,
} from './document.js';
import { type Growth, grow } from './grow.js';

export type DocumentSource =
  /** Files that belong together, or what was sent like them. */
  | { readonly kind: 'texts'; readonly files: readonly TextFile[] }
  /** umbra's own store: one document a line, as JSON. */
  | { readonly kind: 'store'; readonly file: string; readonly lines: readonly string[] }
  /** What was read already. */
  | { readonly kind: 'documents'; readonly documents: readonly Document[] };

/** All documents that are in force, and what is wrong with any of them. Never throws. */
export function readSources(
  sources: readonly DocumentSource[],
  options: ReadOptions,
): { documents: Document[]; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const inForce = new Map<string, Document>();
  for (const source of sources) {
    const read = readSource(source, options);
    problems.push(...read.problems);
    for (const document of read.documents) inForce.set(keyOf(document), document);
  }
  return { documents: [...inForce.values()], problems };
}

function readSource(
  source: DocumentSource,
  options: ReadOptions,
): { documents: readonly Document[]; problems: ConfigProblem[] } {
  if (source.kind === 'documents') return { documents: source.documents, problems: [] };
  if (source.kind === 'texts') return readDocuments(source.files, options);
  const documents: Document[] = [];
  const problems: ConfigProblem[] = [];
  source.lines.forEach((text, index) => {
    const mark = { file: source.file, line: index + 1, column: 1 };
    let value: Growth;
    try {
      value = JSON.parse(text) as Growth;
    } catch {
      problems.push(errorAt(mark, 'is no document in JSON: the file was changed by another hand than umbra'));
      return;
    }
    const read = readDocument(grow(mark, value), options);
    // Ignored fields were reported when the document was applied.
    problems.push(...read.problems.filter(({ severity }) => severity === 'error'));
    if (read.document !== null) documents.push(read.document);
  });
  return { documents, problems };
}
