/**
 * A problem of a configuration, and its position. Every stage of loading adds to one list, so that all
 * problems are reported together.
 */

/** A position in a file. Both numbers count from 1, and columns count UTF-16 units. */
export interface Mark {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ConfigProblem {
  file: string;
  line: number;
  column: number;
  severity: 'error' | 'warning';
  message: string;
}

/** `formatProblem` returns `file:line:column: message`, which editors and CI systems turn into a link. */
export function formatProblem(problem: ConfigProblem): string {
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  return `${problem.file}:${problem.line}:${problem.column}: ${severity}${problem.message}`;
}

export function errorAt(mark: Mark, message: string): ConfigProblem {
  return { file: mark.file, line: mark.line, column: mark.column, severity: 'error', message };
}

export function warningAt(mark: Mark, message: string): ConfigProblem {
  return { file: mark.file, line: mark.line, column: mark.column, severity: 'warning', message };
}

/** Problems shown at once. A hostile file may cause hundreds of thousands. */
const problemsMax = 100;

/**
 * `inOrder` sorts problems by position. It removes repeated messages at one place, and truncates a long list
 * with a count.
 */
export function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const seen = new Set<string>();
  const sorted = problems
    .filter((problem) => {
      const text = formatProblem(problem);
      return seen.has(text) ? false : seen.add(text);
    })
    .sort((a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column);
  if (sorted.length <= problemsMax) return sorted;
  const shown = sorted.slice(0, problemsMax);
  const last = sorted[problemsMax];
  shown.push({ ...last, message: `${sorted.length - problemsMax} more problems follow and are not shown` });
  return shown;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
