/**
 * Loads the text of a configuration. The result is a `Config`, or all problems together:
 *
 *   text --readTree--> tree --applySet--> tree --mergeDocuments--> tree --understand, checkAcross--> Config
 *
 * The tree keeps the positions, and all checks add to one list. Nothing is started or changed here.
 */

import { accessSync, constants, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { limits } from '../core/limits.js';
import { warnOfBaselineLoad } from './baseline-load.js';
import { readCertificates } from './certificates.js';
import { checkAcross } from './check.js';
import { isReflection } from './described.js';
import { readDescriptors } from './descriptor-files.js';
import { inDocumentWords } from './documents/document-words.js';
import { documentSettings, type Grown, mergeDocuments } from './documents/merge.js';
import { type DocumentSource, readSources } from './documents/sources.js';
import { effectiveText } from './effective-text.js';
import { understand } from './issues.js';
import { warnOfLeniency } from './leniency.js';
import { warnOfMirrorSizes } from './mirror-sizes.js';
import { type ConfigProblem, errorAt, inOrder } from './problem.js';
import { warnOfUnreachable } from './reach.js';
import { readTree } from './read-tree.js';
import { mirror } from './schema/mirror.js';
import type { Config, MirrorConfig } from './schema.js';
import { warnOfSelfMirrors } from './self-mirror.js';
import { applySet } from './set.js';
import { directoryOf, kindOfTarget } from './sink-target.js';
import { MapNode, ScalarNode } from './tree.js';

export type { ConfigProblem } from './problem.js';
export { formatProblem } from './problem.js';
export type { Config } from './schema.js';

export interface LoadOptions {
  /**
   * Values for `${NAME}`. By default there are none, so that a configuration from the network can't read the
   * environment.
   */
  env?: NodeJS.ProcessEnv;
  /** Assignments `path=value`, in order. */
  set?: readonly string[];
  /** Base of relative paths of files; the directory of `file` by default. */
  directory?: string;
  /** Returns why a file can't be read, or null. Without it, certificates and keys are not read. */
  unreadable?: (path: string) => string | null;
  /** Documents of Istio and of Gateway API. A document replaces one of the same name in an earlier source. */
  documents?: readonly DocumentSource[];
}

/** A configuration with what is derived from the schema, which main and its threads do not load. */
export type LoadedConfig = Config & {
  /** The text that shows it (`effective-text.ts`). */
  readonly effective: string;
  /** The settings of a mirror that is added live to a route without one (`live-mirror.ts`). */
  readonly mirrorDefaults: MirrorConfig;
};

export type LoadResult =
  | { ok: true; config: LoadedConfig; warnings: ConfigProblem[]; grown: Grown }
  | { ok: false; problems: ConfigProblem[] };

/**
 * `loadConfig` never throws. `file` is a name for positions and the base of relative paths; it is not read.
 */
export function loadConfig(text: string, file: string, options: LoadOptions = {}): LoadResult {
  const env = options.env ?? {};
  const start = { file, line: 1, column: 1 };
  const { root, problems } = readTree(text, file, env);
  if (root === null && problems.length > 0) return refused(problems);
  if (root === null || (root instanceof ScalarNode && root.value === null)) {
    return refused([errorAt(start, 'is empty: a configuration has at least `versions` and `routes`')]);
  }
  if (!(root instanceof MapNode)) {
    return refused([...problems, errorAt(root.mark, 'expected a mapping with `versions` and `routes`')]);
  }
  for (const assignment of options.set ?? []) problems.push(...applySet(root, assignment, env));
  const { namespace } = documentSettings(root);
  const { documents, problems: ofDocuments } = readSources(options.documents ?? [], {
    namespace,
    strict: false,
  });
  const warnings = ofDocuments.filter(({ severity }) => severity === 'warning');
  problems.push(...ofDocuments.filter(({ severity }) => severity === 'error'));
  // A fault in a document would be reported a second time for the routes made from it.
  if (ofDocuments.length > warnings.length) return refused([...problems, ...warnings]);
  const merged: ConfigProblem[] = [];
  const grown = mergeDocuments(root, documents, merged);
  warnings.push(...merged.filter(({ severity }) => severity === 'warning'));
  problems.push(...merged.filter(({ severity }) => severity === 'error'));
  if (merged.some(({ severity }) => severity === 'error')) return refused([...problems, ...warnings]);
  problems.push(...checkAcross(root));
  const understood = understand(root);
  if ('problems' in understood) {
    // When another check has reported a place, the schema would only repeat it.
    const places = new Set(problems.map(placeOf));
    const others = understood.problems.filter((problem) => !places.has(placeOf(problem)));
    return refused(inDocumentWords([...problems, ...others], documents));
  }
  const absolute = withAbsolutePaths(understood.config, options.directory ?? dirname(file));
  let config = withMergedSlashes(absolute, grown.routes.length === 0);
  if (options.unreadable !== undefined) {
    const read = readCertificates(config, root, options.unreadable);
    const described = readDescriptors(read.config, root, options.unreadable);
    config = described.config;
    problems.push(...read.problems, ...described.problems);
  }
  const ofWhole = [
    ...warnOfUnreachable(config, root),
    ...warnOfSelfMirrors(config, root),
    ...warnOfBaselineLoad(config, root),
    ...warnOfMirrorSizes(config, root),
    ...warnOfLeniency(config, root),
  ];
  warnings.push(...inDocumentWords(ofWhole, documents));
  return problems.length > 0
    ? refused([...inDocumentWords(problems, documents), ...warnings])
    : {
        ok: true,
        config: { ...config, effective: effectiveText(config), mirrorDefaults },
        warnings: inOrder(warnings),
        grown,
      };
}

/** `unreadable` returns why a file can't be read, or null. */
export function unreadable(path: string): string | null {
  try {
    if (!statSync(path).isFile()) return 'it is not a file';
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** `readBounded` returns the text of a configuration file, or why it can't be read. */
export async function readBounded(file: string): Promise<string | { reason: string }> {
  try {
    // The size is checked first, because the path may name /dev/zero or a huge file.
    const stat = statSync(file);
    if (stat.isDirectory()) return { reason: "can't be read: it is a directory" };
    if (stat.isFile() && stat.size > limits.configBytes)
      return { reason: `is larger than ${limits.configBytes} bytes` };
    return await readFile(file, 'utf8');
  } catch (error) {
    return { reason: `can't be read: ${reasonOf(error)}` };
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  return code ?? String(error);
}

/**
 * `withMergedSlashes` sets the default of `normalize.mergeSlashes`: BASE, Istio's default, does not merge
 * slashes.
 */
function withMergedSlashes(config: Config, byDefault: boolean): Config {
  const listen = config.listen.map((listener) => ({
    ...listener,
    normalize: { mergeSlashes: byDefault, ...listener.normalize },
  }));
  return { ...config, listen };
}

function withAbsolutePaths(config: Config, directory: string): Config {
  const at = <T extends { path: string } | undefined>(file: T): T =>
    file === undefined ? file : { ...file, path: resolve(directory, file.path) };
  const listen = config.listen.map((listener) => {
    if (listener.tls === undefined) return listener;
    const { cert, key } = listener.tls;
    return { ...listener, tls: { cert: at(cert), key: at(key) } };
  });
  const log = config.accessLog;
  const accessLog =
    log === undefined || log.path === '-' ? log : { ...log, path: resolve(directory, log.path) };
  const versions = Object.entries(config.versions).map(([name, version]) => {
    if (version.tls === undefined) return [name, version];
    const { ca, cert, key } = version.tls;
    return [name, { ...version, tls: { ...version.tls, ca: at(ca), cert: at(cert), key: at(key) } }];
  });
  const { histograms: logs } = config;
  const histograms = logs === undefined ? logs : { ...logs, directory: resolve(directory, logs.directory) };
  const routes = config.routes.map((route) => ({
    ...route,
    mirrors: route.mirrors.map((given) => {
      const mirror = withAbsoluteDescriptors(given, at);
      if (kindOfTarget(mirror.to) !== 'file') return mirror;
      const recording = { ...mirror.recording, directory: resolve(directory, directoryOf(mirror.to)) };
      return { ...mirror, recording };
    }),
  }));
  const state = config.state === undefined ? undefined : resolve(directory, config.state);
  return { ...config, listen, accessLog, histograms, state, versions: Object.fromEntries(versions), routes };
}

function withAbsoluteDescriptors(
  mirror: MirrorConfig,
  at: <T extends { path: string }>(file: T) => T,
): MirrorConfig {
  const { compare } = mirror;
  if (compare === undefined || compare === 'off' || compare.protobuf === undefined) return mirror;
  const { descriptors } = compare.protobuf;
  if (isReflection(descriptors)) return mirror;
  return { ...mirror, compare: { ...compare, protobuf: { descriptors: at(descriptors) } } };
}

/** The target is a placeholder. */
const mirrorDefaults = mirror.parse({ to: 'version', compare: {} });

function placeOf(problem: ConfigProblem): string {
  return `${problem.file}:${problem.line}:${problem.column}`;
}

function refused(problems: readonly ConfigProblem[]): LoadResult {
  return { ok: false, problems: inOrder(problems) };
}
