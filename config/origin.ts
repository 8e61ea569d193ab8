/** Where a configuration comes from. */
import { statSync } from 'node:fs';
import { join } from 'node:path';

const configName = 'umbra.yaml';

/**
 * Where a running umbra's configuration came from; kept, so that a change of documents does not depend on
 * what is on disk by then.
 */
export interface Origin {
  /** Path of umbra.yaml. */
  readonly file: string;
  /** Its text; null: it is read. */
  readonly text: string | null;
  /** Sent through the admin API: it can't read the environment. */
  readonly sent: boolean;
  readonly set: readonly string[];
  /** Documents are read from it too. */
  readonly directory: string | null;
  /** What was applied, one document a line; null: it is read from the store. */
  readonly applied: readonly string[] | null;
}

/** `path` is a configuration file, or a directory with an umbra.yaml and documents. */
export function originOf(path: string, set: readonly string[]): Origin {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return {
    file: isDirectory ? join(path, configName) : path,
    text: null,
    sent: false,
    set,
    directory: isDirectory ? path : null,
    applied: null,
  };
}

/**
 * `address` is where `text` was read, as people know it. Relative paths in it start from the working
 * directory.
 */
export function originOfPlan(address: string, text: string, set: readonly string[]): Origin {
  return { file: address, text, sent: false, set, directory: null, applied: null };
}
