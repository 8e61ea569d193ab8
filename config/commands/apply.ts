/** `umbra apply`. */
import { defineCommand, repeatedFlag, toggle } from '../command-line/definition.js';
import { adminFlags } from '../command-line/flags.js';
import { text } from '../command-line/values.js';

/** The options of `umbra apply` and `umbra delete`. */
export interface ResourcesOptions {
  /** Paths of files and directories; `-` is standard input. */
  readonly files: readonly string[];
  /** Resources to delete, by kind and name: `virtualservice/reviews`. */
  readonly names: readonly string[];
  /** Namespace of `names`; null is the default one. */
  readonly namespace: string | null;
  readonly dryRun: boolean;
  /** Kinds that umbra does not support are refused rather than skipped. */
  readonly strict: boolean;
  readonly admin: string;
  readonly token: string | null;
}

export const apply = defineCommand({
  name: 'apply',
  summary: 'apply Istio or Gateway API resources to a running umbra',
  flags: {
    ...adminFlags,
    files: repeatedFlag('-f, --filename <path>', 'file, directory, or - (repeatable)', text),
    strict: toggle('--strict', 'refuse kinds that umbra does not carry out, and do not pass them over'),
    dryRun: toggle('--dry-run', 'change nothing; print the resulting configuration, as in umbra.yaml'),
  },
  complete(options, misuse): ResourcesOptions {
    if (options.files.length === 0) misuse("required option '-f, --filename' not given");
    return { ...options, names: [], namespace: null };
  },
});
