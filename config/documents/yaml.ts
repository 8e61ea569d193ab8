/** What documents become, as YAML that a person could have written in umbra.yaml; secrets hidden. */
import { stringify } from 'yaml';
import type { RedactPlan } from '../../core/plan.js';
import { Redaction, redacted } from '../../core/redact.js';
import { plainValue } from '../tree.js';
import type { Grown } from './merge.js';

/** Keys whose members are fields, named by themselves. */
const fieldMaps: readonly string[] = ['set', 'add', 'header', 'cookie', 'query', 'headers'];

export function grownYaml({ routes, versions }: Grown, redact: RedactPlan): string {
  const redaction = new Redaction(redact);
  const plain = { versions: plainValue(versions), routes: routes.map(plainValue) };
  return stringify(shown(plain, false, redaction), { aliasDuplicateObjects: false, lineWidth: 0 });
}

function shown(value: unknown, areFields: boolean, redaction: Redaction): unknown {
  // In umbra.yaml `${` is a reference to the environment.
  if (typeof value === 'string') return value.replaceAll('${', '$${');
  if (Array.isArray(value)) return value.map((item) => shown(item, false, redaction));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      areFields && redaction.hidesField(key.toLowerCase())
        ? redacted
        : shown(inner, fieldMaps.includes(key), redaction),
    ]),
  );
}
