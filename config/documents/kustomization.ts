/**
 * Reads a kustomization directory that only lists resources. Other keys would change the resources and are
 * refused: umbra has no kustomize, and the output of `kustomize build` can be applied instead.
 */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ConfigProblem, errorAt } from '../problem.js';
import { readTrees } from '../read-tree.js';
import { MapNode, type TreeNode } from '../tree.js';
import { itemsAt, textAt } from './look.js';

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
/** Keys that do not change resources. */
const harmless = ['apiVersion', 'kind', 'metadata', 'resources', 'bases'];

/** The listed paths, including directories, and the problems found. */
export interface Kustomization {
  readonly paths: string[];
  readonly problems: ConfigProblem[];
}

/** `kustomizationIn` returns the path of the directory's kustomization, or null. */
export function kustomizationIn(directory: string): string | null {
  const name = fileNames.find((name) => existsSync(join(directory, name)));
  return name === undefined ? null : join(directory, name);
}

/** `readKustomization` reads `text`, the kustomization in `directory`; `file` is its name for positions. */
export function readKustomization(directory: string, file: string, text: string): Kustomization {
  const { roots, problems: ofText } = readTrees(text, file);
  const problems = [...ofText];
  const paths = roots.flatMap((root) => {
    problems.push(...unknownKeys(root));
    return [...itemsAt(root, 'resources'), ...itemsAt(root, 'bases')].flatMap((item) => {
      const path = resolve(directory, textAt(item) ?? '');
      if (statSync(path, { throwIfNoEntry: false }) !== undefined) return [path];
      const message = `resources: \`${textAt(item) ?? ''}\` is not a file or directory here; umbra fetches nothing`;
      problems.push(errorAt(item.mark, message));
      return [];
    });
  });
  return { paths, problems };
}

function unknownKeys(root: TreeNode): ConfigProblem[] {
  if (!(root instanceof MapNode)) return [errorAt(root.mark, 'expected a kustomization')];
  return [...root.entries].flatMap(([key, { keyMark }]) =>
    harmless.includes(key)
      ? []
      : [errorAt(keyMark, `\`${key}\` can't be carried out: apply what \`kustomize build\` prints`)],
  );
}
