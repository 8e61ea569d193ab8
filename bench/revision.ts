/**
 * Another revision of this repository, checked out and built in a folder of its own, on this tree's
 * dependencies.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/**
 * Calls `work` with the folder of `revision`, a commit as git names it; the folder is gone when that has
 * ended.
 */
export async function withRevision<T>(revision: string, work: (tree: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'umbra-bench-revision-'));
  const tree = join(directory, 'tree');
  const git = (...args: string[]) => run('git', args, { cwd: repository });
  try {
    await git('worktree', 'add', '--detach', tree, revision);
    await symlink(join(repository, 'node_modules'), join(tree, 'node_modules'));
    await run(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', tree]);
    const bundle = join(tree, 'dist/workers/bundle.js');
    // Older ones ran as they were compiled.
    if (existsSync(bundle)) await run(process.execPath, [bundle]);
    return await work(tree);
  } finally {
    await git('worktree', 'remove', '--force', tree).catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }
}
