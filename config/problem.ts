/**
 * What is wrong with a configuration, and where. Every stage of loading adds to one list, so that a person
 * sees all of it at once.
 */

/** A place in a file; both numbers count from 1, columns in UTF-16 units. */
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

/** `file:line:column: message`, the form that editors and CI systems turn into a link. */
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

/** Problems shown at once; a hostile file can hold hundreds of thousands. */
const problemsMax = 100;

/**
 * In the order of the file; repeats of one message at one place are left out, and a flood is cut with a
 * count.
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
  shown.push({ ...last, message: `${sorted.length - problemsMax} more problems from here on are not shown` });
  return shown;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
