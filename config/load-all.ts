/**
 * Loads all sources of a plan: umbra.yaml, the documents beside it, and applied documents. A change of
 * documents loads all of them again, as a reload does, so that both are checked alike and both are atomic.
 */
import { basename, dirname, resolve } from 'node:path';
import { changeStore, type DocumentChange } from './documents/change.js';
import { type ReadFiles, readDirectory } from './documents/files.js';
import { documentSettings } from './documents/merge.js';
import type { DocumentSource } from './documents/sources.js';
import { readStore, storeFile } from './documents/store-file.js';
import { grownYaml } from './documents/yaml.js';
import { type LoadedConfig, type LoadOptions, loadConfig, readBounded, unreadable } from './load.js';
import { isPlanAddress } from './nats-address.js';
import type { Origin } from './origin.js';
import { type ConfigProblem, errorAt } from './problem.js';
import { readTree } from './read-tree.js';
import { applySet } from './set.js';
import { childOf, MapNode, ScalarNode } from './tree.js';

export interface LoadJob {
  readonly origin: Origin;
  readonly change: DocumentChange | null;
  /** The age of applied documents that have no timestamp. */
  readonly nowMs: number;
  /** The result is also wanted as YAML. */
  readonly yaml: boolean;
}

export type LoadedAll =
  | {
      readonly ok: true;
      readonly config: LoadedConfig;
      readonly warnings: ConfigProblem[];
      /** The origin with everything that was read. */
      readonly origin: Origin;
      /** The state directory; null when applied documents and live changes last as long as the process. */
      readonly store: string | null;
      /** A line for each document of the change. */
      readonly told: string[];
      readonly yaml: string | null;
    }
  | { readonly ok: false; readonly problems: ConfigProblem[] };

function directoryOf({ file }: Pick<Origin, 'file'>): string {
  return isPlanAddress(file) ? process.cwd() : dirname(file);
}

/** `loadAll` reads files and the environment, and never throws. */
export async function loadAll({ origin, change, nowMs, yaml }: LoadJob): Promise<LoadedAll> {
  const text = origin.text ?? (await readBounded(origin.file));
  const start = { file: origin.file, line: 1, column: 1 };
  if (typeof text !== 'string') return { ok: false, problems: [errorAt(start, text.reason)] };
  const { namespace, state } = settingsIn(text, origin);
  const store = state === null ? systemdDirectory() : resolve(directoryOf(origin), state);
  const { files, problems } = besideOf(origin);
  const beside: DocumentSource[] = [{ kind: 'texts', files }];
  let applied = origin.applied ?? [];
  if (origin.applied === null && store !== null) {
    const read = readStore(store);
    applied = read.lines;
    if (read.problem !== null) problems.push(read.problem);
  }
  if (problems.length > 0) return { ok: false, problems };

  const storeName = store === null ? 'applied documents' : storeFile(store);
  const stored = (lines: readonly string[]) => ({ kind: 'store' as const, file: storeName, lines });
  let told: string[] = [];
  let inForce: DocumentSource = stored(applied);
  const warnings: ConfigProblem[] = [];
  if (change !== null) {
    const changed = changeStore(stored(applied), beside, change, namespace, nowMs);
    if (!changed.ok) return changed;
    applied = changed.lines;
    inForce = { kind: 'documents', documents: changed.documents };
    told = changed.told;
    warnings.push(...changed.warnings);
  }
  const options: LoadOptions = {
    env: origin.sent ? {} : process.env,
    set: origin.set,
    directory: directoryOf(origin),
    unreadable,
    documents: [...beside, inForce],
  };
  const loaded = loadConfig(text, origin.sent ? 'request' : origin.file, options);
  if (!loaded.ok) return loaded;
  return {
    ok: true,
    config: loaded.config,
    warnings: [...warnings, ...loaded.warnings],
    origin: { ...origin, text, applied },
    store,
    told,
    yaml: yaml ? grownYaml(loaded.grown, loaded.config.redact) : null,
  };
}

function besideOf({ directory, file }: Origin): ReadFiles {
  return directory === null ? { files: [], problems: [] } : readDirectory(directory, basename(file));
}

/**
 * `settingsIn` reads the settings of umbra.yaml that are needed to read documents. Its faults are reported
 * later.
 */
function settingsIn(text: string, origin: Origin): { namespace: string; state: string | null } {
  const { root } = readTree(text, origin.file, origin.sent ? {} : process.env);
  if (!(root instanceof MapNode)) return { namespace: 'default', state: null };
  for (const assignment of origin.set) applySet(root, assignment, origin.sent ? {} : process.env);
  const documents = childOf(root, 'documents');
  const state = childOf(root, 'state') ?? (documents === undefined ? undefined : childOf(documents, 'state'));
  const path = state instanceof ScalarNode && typeof state.value === 'string' ? state.value : null;
  return { namespace: documentSettings(root).namespace, state: path };
}

/** `StateDirectory=` of a unit may name several directories; the first one is used. */
function systemdDirectory(): string | null {
  const [first] = (process.env.STATE_DIRECTORY ?? '').split(':');
  return first === '' ? null : first;
}
