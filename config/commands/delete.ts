/** `umbra delete`. */
import { defineCommand, flag, operandList, repeatedFlag, toggle } from '../command-line/definition.js';
import { adminFlags } from '../command-line/flags.js';
import { text } from '../command-line/values.js';
import type { ResourcesOptions } from './apply.js';

export const remove = defineCommand({
  name: 'delete',
  summary: 'delete applied resources from a running umbra',
  operands: {
    words: operandList('[names...]', 'KIND NAME or KIND/NAME, for example virtualservice reviews'),
  },
  flags: {
    ...adminFlags,
    files: repeatedFlag(
      '-f, --filename <path>',
      'file, directory, or - with the resources (repeatable)',
      text,
    ),
    namespace: flag('-n, --namespace <name>', 'namespace of the names', text),
    dryRun: toggle('--dry-run', 'change nothing; print the resulting configuration'),
  },
  complete({ words, ...options }, misuse): ResourcesOptions {
    const names = resourceNames(words) ?? misuse('expected KIND NAME, or KIND/NAME');
    if (names.length === 0 && options.files.length === 0)
      misuse("name what to delete: KIND NAME, or '-f, --filename'");
    return { ...options, names, strict: false };
  },
});

/**
 * `resourceNames` reads `[virtualservice, a, b]` as two names of one kind, as kubectl does. It returns null
 * for an invalid list.
 */
function resourceNames(words: readonly string[]): readonly string[] | null {
  if (words.every((word) => word.includes('/'))) return words;
  const [kind, ...names] = words;
  if (names.length === 0 || words.some((word) => word.includes('/'))) return null;
  return names.map((name) => `${kind}/${name}`);
}
