/** Fields that a Connection field makes hop-by-hop (RFC 9110, section 7.6.1). */

/**
 * End-to-end fields that upstream relies on and that a client must not be able to remove by naming them. Host and the
 * framing are not among the field lines in the first place.
 */
const neverHopByHop = new Set(['authorization', 'cookie', 'cache-control']);

/**
 * `fields` (whole lines, a wire string) without those whose names `options`, the joined values of all Connection
 * fields, has. Names are compared without case. The rare case: may allocate.
 */
export function withoutNamed(fields: string, options: string): string {
  const named = new Set<string>();
  for (const option of options.split(',')) {
    // Not `trim`: it would take away obs-text such as a no-break space.
    const name = option.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase();
    if (name !== '' && !neverHopByHop.has(name)) named.add(name);
  }
  let kept = '';
  for (let from = 0; from < fields.length; ) {
    const to = fields.indexOf('\r\n', from) + 2;
    if (!named.has(fields.slice(from, fields.indexOf(':', from)).toLowerCase()))
      kept += fields.slice(from, to);
    from = to;
  }
  return kept;
}
