/** What a mirror to a recording can't be asked for, and one to a shadow neither. */
import { type ConfigProblem, errorAt } from './problem.js';
import { isSinkTarget } from './sink-target.js';
import { indexesAt, keyMarkAt, nodeAt, type Path, ScalarNode, type TreeNode, textAt } from './tree.js';

/** A recording takes each copy as the client sent it, and answers nothing that could be waited for or compared. */
const ofShadows = [
  'host',
  'breaker',
  'pipelining',
  'inFlight',
  'timeout',
  'firstByteTimeout',
  'compare',
] as const;

export function checkSinks(root: TreeNode): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const firsts = new Map<string, { readonly settings: string; readonly line: number }>();
  for (const route of indexesAt(root, ['routes'])) {
    for (const mirror of indexesAt(root, ['routes', route, 'mirrors'])) {
      const path: Path = ['routes', route, 'mirrors', mirror];
      const to = textAt(root, [...path, 'to']);
      if (to === null) continue;
      const keys = isSinkTarget(to) ? ofShadows : ['recording'];
      const what = isSinkTarget(to)
        ? `is for shadows; \`${to}\` is a recording`
        : 'is for mirrors to file:DIRECTORY';
      for (const key of keys) {
        if (nodeAt(root, [...path, key]) === undefined) continue;
        problems.push(errorAt(keyMarkAt(root, [...path, key]), `\`${key}\` ${what}`));
      }
      if (!isSinkTarget(to)) continue;
      const node = nodeAt(root, [...path, 'recording']);
      const mark = keyMarkAt(root, node === undefined ? [...path, 'to'] : [...path, 'recording']);
      const settings = settingsOf(root, [...path, 'recording']);
      const first = firsts.get(to);
      if (first === undefined) firsts.set(to, { settings, line: mark.line });
      else if (first.settings !== settings)
        problems.push(
          errorAt(
            mark,
            `\`${to}\` is recorded to with other settings at line ${first.line}; one directory has one \`recording\``,
          ),
        );
    }
  }
  return problems;
}

/** Of the directory; `responses` is each mirror's own. */
function settingsOf(root: TreeNode, path: Path): string {
  const keys: Path[] = [['compress'], ['segment', 'size'], ['segment', 'age'], ['disk']];
  const valueAt = (key: Path): unknown => {
    const node = nodeAt(root, [...path, ...key]);
    return node instanceof ScalarNode ? node.value : null;
  };
  return JSON.stringify(keys.map(valueAt));
}
