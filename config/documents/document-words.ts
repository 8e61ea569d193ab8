/**
 * Rewrites problems of the configuration made from documents: the label of the document and the path of the
 * field replace the path in umbra.yaml.
 */
import type { ConfigProblem, Mark } from '../problem.js';
import { formatPath, ListNode, MapNode, type Path, type TreeNode } from '../tree.js';
import type { Document } from './document.js';

/** Paths of umbra.yaml that begin a message. */
const nativePaths = ['routes[', 'versions.'];

export function inDocumentWords(
  problems: readonly ConfigProblem[],
  documents: readonly Document[],
): ConfigProblem[] {
  if (problems.length === 0) return [];
  const places = placesIn(documents, new Set(problems.map(({ file }) => file)));
  return problems.map((problem) => {
    const place = places.get(keyOf(problem));
    return place === undefined
      ? problem
      : { ...problem, message: `${place}: ${withoutPath(problem.message)}` };
  });
}

function withoutPath(message: string): string {
  const end = message.indexOf(': ');
  const isPath = end > 0 && !message.slice(0, end).includes(' ');
  return isPath && nativePaths.some((path) => message.startsWith(path)) ? message.slice(end + 2) : message;
}

/** `placesIn` returns names such as `virtualservice/a: spec.http[0].timeout` by position. */
function placesIn(documents: readonly Document[], files: ReadonlySet<string>): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const { root, label, mark } of documents) {
    if (!files.has(mark.file)) continue;
    enter(places, root, label, []);
    // A document of the store is one line, and has one position.
    places.set(keyOf(root.mark), label);
  }
  return places;
}

/** `enter` adds the names of a node and of everything in it. The innermost node names a shared position. */
function enter(places: Map<string, string>, node: TreeNode, label: string, path: Path): void {
  const name = path.length === 0 ? label : `${label}: ${formatPath(path)}`;
  places.set(keyOf(node.mark), name);
  if (node instanceof ListNode)
    for (const [index, item] of node.items.entries()) enter(places, item, label, [...path, index]);
  else if (node instanceof MapNode)
    for (const [key, entry] of node.entries) {
      const own = [...path, key];
      places.set(keyOf(entry.keyMark), `${label}: ${formatPath(own)}`);
      enter(places, entry.node, label, own);
    }
}

function keyOf({ file, line, column }: Mark): string {
  return `${file}:${line}:${column}`;
}
