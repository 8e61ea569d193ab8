/**
 * `${NAME}` and `${NAME:-default}` in string values. They are substituted in parsed scalars, never in the raw
 * text, so that no value can add keys or structure.
 */
import { Refusal } from './units.js';

/** `$${` stands for the text `${`. The last alternative matches an incomplete reference. */
const reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-)([^}]*))?\}|\$\{/g;
/**
 * The same for text without a closing brace, in which `reference` would search for one from every position.
 */
const unclosed = /\$\$\{|\$\{/g;

/** `mentionsEnvironment` returns true when a text contains a reference. */
export function mentionsEnvironment(text: string): boolean {
  return text.includes('${');
}

/**
 * `substitute` returns the text with its references replaced, or why that can't be done. As in a shell, `:-`
 * also replaces an empty value.
 */
export function substitute(text: string, env: NodeJS.ProcessEnv): string | Refusal {
  let refusal: Refusal | null = null;
  const malformed = (): string => {
    refusal ??= new Refusal(
      `is not a reference to the environment: write ${'$'}{NAME}, ${'$'}{NAME:-default}, or $${'$'}{ for the text ${'$'}{`,
    );
    return '';
  };
  const closedChars = text.lastIndexOf('}') + 1;
  const closed = text
    .slice(0, closedChars)
    .replace(reference, (all, name: string | undefined, fallback: string | undefined, rest: string) => {
      if (all === '$${') return '${';
      if (name === undefined) return malformed();
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (fallback !== undefined) return value === undefined || value === '' ? rest : value;
      if (value === undefined) {
        refusal ??= new Refusal(
          `needs the environment variable ${name}, which is not set (a default: \${${name}:-value})`,
        );
        return '';
      }
      return value;
    });
  const rest = text.slice(closedChars).replace(unclosed, (all) => (all === '$${' ? '${' : malformed()));
  return refusal ?? closed + rest;
}

/** `typedScalar` returns the number or boolean that a plain YAML scalar of this text would be, else null. */
export function typedScalar(text: string): number | boolean | null {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (!/^[-+]?\d+(?:\.\d+)?$/.test(text)) return null;
  return Number(text);
}
