/**
 * Decides which trailer fields are forwarded (RFC 9110, section 6.5). They are never merged into a head.
 * Fields that a recipient might take for a part of the head are left out: framing, routing, authentication,
 * conditions, encoding of the content, and the identity of the client.
 */

import { listMembers } from './hop-by-hop.js';

/** Names in lower case. */
const neverForwarded = new Set([
  // Framing and the connection.
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Routing, and the identity of the client.
  'forwarded',
  'host',
  'via',
  'x-real-ip',
  'x-request-id',
  // Authentication.
  'authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
  // Controls of a request and of a response.
  'age',
  'cache-control',
  'date',
  'expect',
  'expires',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'vary',
  'warning',
  // The encoding of the content.
  'content-encoding',
  'content-range',
  'content-type',
]);
const noNames: ReadonlySet<string> = new Set();

/**
 * `forwardableTrailers` returns `lines` (whole field lines, a wire string) without those that must not be
 * forwarded. `named` are the options of the message's Connection fields in lower case, joined by commas;
 * usually there are none. The remaining lines keep their order and bytes.
 */
export function forwardableTrailers(lines: string, named: string): string {
  const hopByHop = named === '' ? noNames : listMembers(named);
  let kept = '';
  let keptFrom = 0;
  for (let from = 0; from < lines.length; ) {
    const to = lines.indexOf('\r\n', from) + 2;
    const name = lines.slice(from, lines.indexOf(':', from)).toLowerCase();
    if (neverForwarded.has(name) || hasForbiddenPrefix(name) || hopByHop.has(name)) {
      kept += lines.slice(keptFrom, from);
      keptFrom = to;
    }
    from = to;
  }
  return keptFrom === 0 ? lines : kept + lines.slice(keptFrom);
}

function hasForbiddenPrefix(name: string): boolean {
  return name.startsWith('if-') || name.startsWith('proxy-') || name.startsWith('x-forwarded-');
}
