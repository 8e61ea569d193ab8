/** `umbra diffs`: lists what comparing found, and accepts differences that are meant. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { AcceptRefusal, acceptInConfig } from '../../config/accept-rule.js';
import type { DiffsOptions } from '../../config/commands/diffs.js';
import type { CommandIo } from '../../config/commands/index.js';
import { exitOk } from '../../config/exit-codes.js';
import { formatProblem, loadConfig } from '../../config/load.js';
import { printable } from '../../core/printable.js';
import type { DiffGroupView } from '../../core/report/diffs.js';
import { diffGroupLines, summaryLines } from '../../core/report/diffs-text.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import { askAdmin, exitCodeFor } from './admin-client.js';

/** Resolves with the exit code: 1 where umbra can't be asked or the file can't be changed. Never rejects. */
export async function diffsCommand(options: DiffsOptions, io: CommandIo): Promise<number> {
  try {
    const answer = await askAdmin(options, 'api/diffs');
    const diffs = parseDiffs(answer);
    const { groups, mirrors } = diffs;
    if (options.accept !== null) {
      io.out(await accept(groups, options.accept, options.config));
    } else if (options.output === 'json') io.out(JSON.stringify(answer, null, 2));
    else {
      const summaries = mirrors.some(({ compared }) => compared > 0) ? mirrors.flatMap(summaryLines) : [];
      for (const line of [...summaries, ...diffGroupLines(diffs)]) io.out(printable(line));
    }
    return exitOk;
  } catch (error) {
    io.err(`umbra diffs: ${(error as Error).message}`);
    return exitCodeFor(error);
  }
}

/** Rejects with an Error of one line where the file is left as it was. */
async function accept(groups: readonly DiffGroupView[], id: string, file: string): Promise<string> {
  const found = groups.filter((group) => group.id.startsWith(id));
  if (id === '' || found.length === 0) throw new Error(`there is no group ${JSON.stringify(id)}`);
  if (found.length > 1) throw new Error(`several groups begin with ${JSON.stringify(id)}: give more digits`);
  const [group] = found;
  const before = await readFile(file, 'utf8');
  const after = acceptInConfig(before, group);
  if (after instanceof AcceptRefusal) throw new Error(`${file} ${after.reason}`);
  const loaded = loadConfig(after, file, { env: process.env });
  if (!loaded.ok)
    throw new Error(`the rule would make the configuration invalid: ${formatProblem(loaded.problems[0])}`);
  // In the same directory, so that a reader finds the old file or the new one whole.
  const next = `${file}.${process.pid}.tmp`;
  await writeFile(next, after, { flag: 'wx' });
  await rename(next, file);
  const { endpoint, kind, path, change } = group;
  return printable(
    `${file} accepts ${change} of ${kind} ${path} in ${endpoint}; umbra applies it on its next reload`,
  );
}
