/** `documents` and `subsets`: settings for documents of Istio and of Gateway API. */
import { z } from 'zod';
import { parseHostMatch } from '../address.js';
import { parseName } from '../names.js';
import { Refusal } from '../units.js';
import { file, key, mapping, text } from './values.js';
import { version } from './version.js';

function parseNamespace(name: string): string | Refusal {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  return new Refusal('expected a namespace: lower-case letters, digits and - (at most 63)');
}

export const documents = mapping({
  state: file.optional().meta({
    description: 'Short form of `state`, which takes precedence.',
  }),
  namespace: text('expected a namespace', parseNamespace).prefault('default').meta({
    description: 'The namespace of documents without one.',
  }),
  mirrorHost: z
    .enum(['shadow', 'preserve', 'endpoint'], { error: 'expected shadow, preserve or endpoint' })
    .prefault('shadow')
    .meta({ description: 'The Host of copies for mirrors in documents, as `host` of a mirror.' }),
});

const expected = 'expected endpoints, a version, or a mapping of subsets';

/**
 * Endpoints, a version, or a mapping of subsets to either. `endpoints` distinguishes them, so that each form
 * reports its own faults.
 */
const subsetsOfHost = z.unknown().check((context) => {
  const { value, issues } = context;
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  const versions: [path: string[], version: unknown][] =
    isMapping && !Object.hasOwn(value, 'endpoints')
      ? Object.entries(value).map(([name, version]) => [[name], version])
      : [[[], value]];
  if (versions.length === 0) issues.push({ code: 'custom', message: expected, input: value });
  for (const [path, given] of versions) {
    const name = path.length === 0 ? '' : parseName(path[0]);
    if (name instanceof Refusal) issues.push({ code: 'custom', message: name.reason, input: given, path });
    for (const issue of version.safeParse(given).error?.issues ?? [])
      issues.push({ ...issue, path: [...path, ...issue.path], input: given } as never);
  }
});

export const subsets = z.record(key(parseHostMatch), subsetsOfHost, {
  error: 'expected a mapping of host names',
});
