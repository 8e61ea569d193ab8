/**
 * Formats the result of documents as YAML that a user could have written in umbra.yaml, with secrets hidden.
 */
import { stringify } from 'yaml';
import type { RedactPlan } from '../../core/plan.js';
import { Redaction } from '../../core/redact.js';
import { withoutFieldSecrets } from '../field-secrets.js';
import { plainValue } from '../tree.js';
import type { Grown } from './merge.js';

export function grownYaml({ routes, versions }: Grown, redact: RedactPlan): string {
  const plain = { versions: plainValue(versions), routes: routes.map(plainValue) };
  return stringify(withoutReferences(withoutFieldSecrets(plain, new Redaction(redact))), {
    aliasDuplicateObjects: false,
    lineWidth: 0,
  });
}

/**
 * `withoutReferences` escapes `${`, which begins a reference to the environment in umbra.yaml. `$${` is the
 * literal text.
 */
function withoutReferences(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', '$${');
  if (Array.isArray(value)) return value.map(withoutReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutReferences(inner)]));
}
