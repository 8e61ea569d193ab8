/** `umbra apply` and `umbra delete`: send resources to a running umbra, and print the result for each. */
import { readFileSync, statSync } from 'node:fs';
import type { ResourcesOptions } from '../../config/commands/apply.js';
import type { CommandIo } from '../../config/commands/index.js';
import type { TextFile } from '../../config/documents/document.js';
import { readBounded, readDirectory } from '../../config/documents/files.js';
import { kindByWord } from '../../config/documents/kinds.js';
import { exitFailure, exitOk } from '../../config/exit-codes.js';
import { type ConfigProblem, formatProblem } from '../../config/problem.js';
import { AdminError, askAdmin, exitCodeFor } from './admin-client.js';

const stdin = 0;

/**
 * Resolves with the exit code: 0 when every thread has applied the change, 1 when nothing was changed, 4 when
 * umbra can't be asked. Never rejects.
 */
export async function resourcesCommand(
  action: 'apply' | 'delete',
  options: ResourcesOptions,
  io: CommandIo,
): Promise<number> {
  const { admin, token, dryRun, strict } = options;
  const fail = (...lines: string[]): number => {
    for (const line of lines) io.err(line);
    return exitFailure;
  };
  const { files, problems } = collect(options);
  if (problems.length > 0) return fail(...problems);
  if (files.length === 0) return fail(`umbra ${action}: no resources in ${options.files.join(', ')}`);
  try {
    const path = `api/${action}?dryRun=${dryRun}&strict=${strict}`;
    const answer = await askAdmin({ admin, token }, path, { method: 'POST', body: { files } });
    for (const line of linesIn(answer.warnings)) io.err(line);
    for (const line of linesIn(answer.ended)) io.err(`live change of ${line}`);
    // As YAML the lines are comments, so that the output can go to a file as it is.
    for (const line of linesIn(answer.told)) io.out(dryRun ? `# ${line} (dry run)` : line);
    if (typeof answer.yaml === 'string') io.out(answer.yaml.trimEnd());
    return exitOk;
  } catch (error) {
    fail(
      ...(error instanceof AdminError ? error.problems : []),
      `umbra ${action}: ${(error as Error).message}`,
    );
    return exitCodeFor(error);
  }
}

function collect({ files: paths, names, namespace }: ResourcesOptions): {
  files: TextFile[];
  problems: string[];
} {
  const files: TextFile[] = [];
  const problems: string[] = [];
  const take = (file: string, read: string | ConfigProblem | null) => {
    if (typeof read === 'string') files.push({ file, text: read });
    else if (read !== null) problems.push(formatProblem(read));
  };
  for (const path of paths) {
    if (path === '-') files.push({ file: '-', text: readFileSync(stdin, 'utf8') });
    else if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      const read = readDirectory(path, null);
      files.push(...read.files);
      problems.push(...read.problems.map(formatProblem));
    } else take(path, readBounded(path));
  }
  for (const name of names) {
    const [word, ...rest] = name.split('/');
    const kind = kindByWord(word);
    if (kind === null || rest.length !== 1)
      problems.push(`${name}: expected a kind and a name, as in virtualservice/reviews`);
    else {
      const metadata = { name: rest[0], ...(namespace === null ? {} : { namespace }) };
      const apiVersion = `${kind.group}/${kind.versions[0]}`;
      files.push({ file: name, text: JSON.stringify({ apiVersion, kind: kind.kind, metadata }) });
    }
  }
  return { files, problems };
}

function linesIn(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
