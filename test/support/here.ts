/** Commands of umbra in the process of the test, at a hundredth of the cost of a process of their own. */
import { runCommand } from '../../config/command-line.js';
import { actions } from '../../workers/commands/index.js';

/**
 * Runs `umbra ARGUMENTS` to its end, for commands that ask an umbra or read files and print. `runToEnd` is
 * for those that start umbra, listen to signals or write to standard output themselves (`run`, `demo`, `top`,
 * `load`, `record`, `shadow`), and for what a process does at its end.
 */
export async function runHere(
  ...words: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const lines = { out: [''], err: [''] };
  const code = await runCommand(['node', 'umbra', ...words], actions, {
    out: (line) => void lines.out.splice(-1, 0, line),
    err: (line) => void lines.err.splice(-1, 0, line),
  });
  return { code, out: lines.out.join('\n'), err: lines.err.join('\n') };
}
