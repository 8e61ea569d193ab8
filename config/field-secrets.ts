/** Hides the values of secret fields, parameters and cookies in a configuration that is shown. */
import { type Redaction, redacted } from '../core/redact.js';

/** Keys whose members are named after fields, parameters or cookies. */
const fieldMaps: readonly string[] = ['set', 'add', 'header', 'cookie', 'query', 'headers'];

/**
 * `withoutFieldSecrets` returns a copy of `value`, plain data of a configuration's shape, with every secret
 * replaced.
 */
export function withoutFieldSecrets(value: unknown, redaction: Redaction): unknown {
  return shown(value, '', redaction);
}

/** `shown` copies a value. `parent` is the key of `value`, or empty. */
function shown(value: unknown, parent: string, redaction: Redaction): unknown {
  if (Array.isArray(value)) return value.map((item) => shown(item, '', redaction));
  if (typeof value !== 'object' || value === null) return value;
  const isSecret = (name: string): boolean =>
    // A matched cookie is hidden whatever its name, because it may be a session.
    parent === 'cookie' || (fieldMaps.includes(parent) && redaction.hidesField(name.toLowerCase()));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isSecret(key) ? withoutTexts(inner) : shown(inner, key, redaction),
    ]),
  );
}

function withoutTexts(value: unknown): unknown {
  if (typeof value === 'string') return redacted;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutTexts(inner)]));
}
