/** The sources of documents, and which documents are in force. */
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
  /** Files that belong together, or the content of a request. */
  | { readonly kind: 'texts'; readonly files: readonly TextFile[] }
  /** umbra's own store: one JSON document per line. */
  | { readonly kind: 'store'; readonly file: string; readonly lines: readonly string[] }
  /** Documents that were read before. */
  | { readonly kind: 'documents'; readonly documents: readonly Document[] };

/** `readSources` returns all documents in force, and their problems. It never throws. */
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
      problems.push(errorAt(mark, 'is not a document in JSON: something other than umbra changed the file'));
      return;
    }
    const read = readDocument(grow(mark, value), options);
    // Ignored fields were reported when the document was applied.
    problems.push(...read.problems.filter(({ severity }) => severity === 'error'));
    if (read.document !== null) documents.push(read.document);
  });
  return { documents, problems };
}
