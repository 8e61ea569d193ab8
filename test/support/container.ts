/**
 * What a Containerfile makes, without a container's runtime. Its steps are executed in a folder that has a
 * shell, a few tools and the libraries that are linked, and nothing else.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runWell } from './command.js';

/** Tools of the base image that the steps and the launcher call. */
const tools = ['/bin/sh', '/bin/cp', '/bin/ln', '/bin/mkdir', '/bin/readlink'];

export interface Container {
  /** Words of a command that runs ENTRYPOINT with CMD, as USER. */
  readonly start: readonly string[];
  /** The same for HEALTHCHECK. */
  readonly health: readonly string[];
}

/** `buildContainer` executes `context/Containerfile` in `root`; throws on a step that it does not know. */
export async function buildContainer(context: string, root: string): Promise<Container> {
  mkdirSync(join(root, 'dev'), { recursive: true });
  // Every runtime provides this device.
  await runWell('mknod', ['--mode=666', join(root, 'dev/null'), 'c', '1', '3']);
  await addLinked(root, tools);
  const args = new Map<string, string>();
  const last = new Map<string, string>();
  for (const line of readFileSync(join(context, 'Containerfile'), 'utf8').split('\n')) {
    const [, step, text = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    const words = text.replace(/\$\{(\w+)\}/g, (_, name: string) => args.get(name)!);
    if (step === 'ARG') {
      const [name, value] = words.split('=');
      args.set(name!, value!);
    } else if (step === 'ADD') {
      const [archive, target] = words.split(' ');
      mkdirSync(join(root, target!), { recursive: true });
      await runWell('tar', ['-xzf', join(context, archive!), '-C', join(root, target!)]);
    } else if (step === 'RUN') {
      // The base image has this folder.
      mkdirSync(join(root, 'etc'), { recursive: true });
      await runWell('chroot', [root, '/bin/sh', '-c', words]);
    } else if (step !== undefined) {
      last.set(step, words);
    }
  }
  const unknown = [...last.keys()].filter((step) => !known.includes(step));
  if (unknown.length > 0) throw new Error(`unknown steps: ${unknown.join(', ')}`);
  await addLinked(root, [join(root, 'opt/umbra/lib/node')]);
  const enter = [
    'env',
    '-i',
    'PATH=/usr/bin:/bin',
    '/usr/sbin/chroot',
    `--userspec=${last.get('USER')!}`,
    root,
  ];
  return {
    start: [...enter, ...list(last.get('ENTRYPOINT')!), ...list(last.get('CMD')!)],
    health: [...enter, ...list(last.get('HEALTHCHECK')!)],
  };
}

const known = ['FROM', 'USER', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'];

function list(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

/** `addLinked` copies programs outside of `root`, and the libraries of all `programs`. */
async function addLinked(root: string, programs: readonly string[]): Promise<void> {
  const files = new Set(programs.filter((path) => !path.startsWith(root)));
  for (const program of programs) {
    const { out } = await runWell('ldd', [program]);
    for (const [path] of out.toString().matchAll(/\/\S*lib\S*\.so\S*/g)) files.add(path);
  }
  await runWell('cp', ['--dereference', '--parents', ...files, root]);
}
