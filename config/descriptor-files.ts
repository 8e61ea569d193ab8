/** Reads the descriptor sets of a configuration, so that an invalid file is reported with its position. */
import { readFileSync, statSync } from 'node:fs';
import { limits } from '../core/limits.js';
import type { ProtobufPlan } from '../core/plan.js';
import { DescriptorFault, Descriptors } from '../core/protobuf/descriptors.js';
import { describedBy, isReflection } from './described.js';
import { type ConfigProblem, errorAt } from './problem.js';
import type { Config } from './schema.js';
import { markAt, type TreeNode } from './tree.js';

/** Returns why the file at a path can't be read, or null. */
type Unreadable = (path: string) => string | null;

/**
 * `readDescriptors` returns `config` with the content of all files of `compare.protobuf.descriptors`, and the
 * problems found.
 */
export function readDescriptors(
  config: Config,
  root: TreeNode,
  unreadable: Unreadable,
): { config: Config; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const read = new Map<string, ProtobufPlan | string>();
  const routes = config.routes.map((route, r) => ({
    ...route,
    mirrors: route.mirrors.map((mirror, m) => {
      const { compare } = mirror;
      if (compare === undefined || compare === 'off' || compare.protobuf === undefined) return mirror;
      const { path } = compare.protobuf.descriptors;
      if (isReflection(compare.protobuf.descriptors)) return mirror;
      const set = read.get(path) ?? readSet(path, unreadable);
      read.set(path, set);
      if (typeof set !== 'string') {
        return { ...mirror, compare: { ...compare, protobuf: { descriptors: { path, set } } } };
      }
      const keys = ['routes', r, 'mirrors', m, 'compare', 'protobuf', 'descriptors'];
      const name = `routes[${r}].mirrors[${m}].compare.protobuf.descriptors`;
      problems.push(errorAt(markAt(root, keys), `${name}: ${path} ${set}`));
      return mirror;
    }),
  }));
  return { config: { ...config, routes }, problems };
}

/** The set, or what is wrong with it as the end of a sentence. */
function readSet(path: string, unreadable: Unreadable): ProtobufPlan | string {
  const reason = unreadable(path);
  if (reason !== null) return `can't be read: ${reason}`;
  if (statSync(path).size > limits.descriptorBytes) return `is larger than ${limits.descriptorBytes} bytes`;
  const bytes = readFileSync(path);
  try {
    Descriptors.read(bytes);
  } catch (error) {
    if (!(error instanceof DescriptorFault)) throw error;
    return `can't be used: ${error.message}`;
  }
  return describedBy(bytes);
}
