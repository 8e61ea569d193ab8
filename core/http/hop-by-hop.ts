/** Fields that a Connection field makes hop-by-hop (RFC 9110, section 7.6.1); for both engines. */
import { withoutBlanks } from '../trim.js';
import { asciiLowerCase } from './chars.js';

/** The fields of the connection and of the framing, whatever a Connection field names. */
export const hopByHopFields: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * End-to-end fields that the upstream relies on. A client must not be able to remove them by naming them.
 * Host and the framing are never among the field lines.
 */
const neverHopByHop = ['authorization', 'cookie', 'cache-control'];

/**
 * `listMembers` returns the members of a comma-separated list in lower case, without empty ones (RFC 9110,
 * section 5.6.1).
 */
export function listMembers(list: string): Set<string> {
  const members = new Set<string>();
  for (const member of asciiLowerCase(list).split(',')) members.add(withoutBlanks(member));
  members.delete('');
  return members;
}

/**
 * `withoutNamed` returns `fields` (whole lines, a wire string) without the lines whose names are in
 * `options`: the members, in lower case, of all Connection fields. Names are compared in any case. It
 * allocates, because few requests name an option.
 */
export function withoutNamed(fields: string, options: ReadonlySet<string>): string {
  let kept = '';
  for (let from = 0; from < fields.length; ) {
    const to = fields.indexOf('\r\n', from) + 2;
    const name = fields.slice(from, fields.indexOf(':', from)).toLowerCase();
    if (!options.has(name) || neverHopByHop.includes(name)) kept += fields.slice(from, to);
    from = to;
  }
  return kept;
}
