/** The source of a configuration. */
import { statSync } from 'node:fs';
import { join } from 'node:path';

const configName = 'umbra.yaml';

/**
 * Where a running umbra's configuration came from. It is kept, so that a change of documents does not depend
 * on later changes on disk.
 */
export interface Origin {
  /** Path of umbra.yaml. */
  readonly file: string;
  /** The text of umbra.yaml; null to read the file. */
  readonly text: string | null;
  /** Sent through the admin API, so it can't read the environment. */
  readonly sent: boolean;
  readonly set: readonly string[];
  /** A directory with further documents, or null. */
  readonly directory: string | null;
  /** Applied documents, one per line; null to read them from the store. */
  readonly applied: readonly string[] | null;
}

/** `originOf` takes the path of a configuration file, or of a directory with an umbra.yaml and documents. */
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
 * `originOfPlan` takes a `text` that was read at `address`, which is shown to users. Its relative paths start
 * from the working directory.
 */
export function originOfPlan(address: string, text: string, set: readonly string[]): Origin {
  return { file: address, text, sent: false, set, directory: null, applied: null };
}
