import { type ConfigProblem, errorAt } from '../problem.js';

/** `cantRead` returns the problem of a file that the file system refused, at its first line. */
export function cantRead(file: string, error: unknown): ConfigProblem {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : (code ?? message);
  return errorAt({ file, line: 1, column: 1 }, `can't be read: ${why}`);
}
