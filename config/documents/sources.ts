/** Where documents come from, and which of them are in force. */
import { type ConfigProblem, errorAt } from '../problem.js';
import { type Document, keyOf, readDocument, readDocuments } from './document.js';
import { type Growth, grow } from './grow.js';

export type DocumentSource =
  /** A file, or what was sent like one. */
  | { readonly kind: 'text'; readonly file: string; readonly text: string }
  /** umbra's own store: one document a line, as JSON. */
  | { readonly kind: 'store'; readonly file: string; readonly lines: readonly string[] }
  /** What was read already. */
  | { readonly kind: 'documents'; readonly documents: readonly Document[] };

/** All documents that are in force, and what is wrong with any of them. Never throws. */
export function readSources(
  sources: readonly DocumentSource[],
  namespace: string,
): { documents: Document[]; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const inForce = new Map<string, Document>();
  const texts = new Map<string, Document>();
  for (const source of sources) {
    const read = readSource(source, namespace);
    problems.push(...read.problems);
    for (const document of read.documents) {
      const key = keyOf(document);
      const other = source.kind === 'text' ? texts.get(key) : undefined;
      if (other !== undefined) {
        const { file, line } = other.mark;
        const message = `${document.label} is given twice; the first is at ${file}:${line}`;
        problems.push(errorAt(document.mark, message));
      }
      if (source.kind === 'text') texts.set(key, document);
      inForce.set(key, document);
    }
  }
  return { documents: [...inForce.values()], problems };
}

function readSource(
  source: DocumentSource,
  namespace: string,
): { documents: readonly Document[]; problems: ConfigProblem[] } {
  if (source.kind === 'documents') return { documents: source.documents, problems: [] };
  if (source.kind === 'text') return readDocuments(source.text, source.file, namespace);
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
    const read = readDocument(grow(mark, value), namespace);
    // Ignored fields were reported when the document was applied.
    problems.push(...read.problems.filter(({ severity }) => severity === 'error'));
    if (read.document !== null) documents.push(read.document);
  });
  return { documents, problems };
}
