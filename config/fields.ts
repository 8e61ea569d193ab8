/**
 * Header fields in a configuration: valid names and values, and fields that a configuration must not change.
 */
import { compileFormat, FormatError, type FormatPlace } from '../core/http/value-format.js';
import { Refusal } from './units.js';

/** RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const tokenLengthMax = 256;
/**
 * Visible ASCII, space and tab. Other bytes are excluded, because receivers may read them in any character
 * set.
 */
const fieldValue = /^[\t\x20-\x7e]*$/;

const hopByHop = 'belongs to one connection and umbra sets it itself (RFC 9110, section 7.6.1)';
const framing = 'delimits the body and umbra sets it itself (RFC 9112, section 6)';
const notEditable: ReadonlyMap<string, string> = new Map([
  ['connection', hopByHop],
  ['keep-alive', hopByHop],
  ['proxy-connection', hopByHop],
  ['te', hopByHop],
  ['trailer', hopByHop],
  ['upgrade', hopByHop],
  ['transfer-encoding', framing],
  ['content-length', framing],
  ['expect', 'is answered by umbra and never forwarded (RFC 9110, section 10.1.1)'],
  ['host', 'has its own key: `host` of a mirror, `rewrite.host` of a route'],
]);

export function isToken(text: string): boolean {
  return text.length <= tokenLengthMax && token.test(text);
}

/** `parseFieldName` returns a header's name in lower case. */
export function parseFieldName(name: string): string | Refusal {
  return isToken(name)
    ? name.toLowerCase()
    : new Refusal("expected a header name: letters, digits and !#$%&'*+-.^_`|~");
}

/** `parseMatchableFieldName` accepts a header's name that a route may match. */
export function parseMatchableFieldName(name: string): string | Refusal {
  const parsed = parseFieldName(name);
  if (parsed instanceof Refusal || parsed === 'host' || !notEditable.has(parsed)) return parsed;
  return new Refusal(`\`${parsed}\` can't be matched: umbra handles it before routing`);
}

/** `parseEditableFieldName` accepts a header's name that may be set, added or removed in a request. */
export function parseEditableFieldName(name: string): string | Refusal {
  const parsed = parseFieldName(name);
  if (parsed instanceof Refusal) return parsed;
  const reason = notEditable.get(parsed);
  return reason === undefined ? parsed : new Refusal(`\`${parsed}\` can't be edited here: it ${reason}`);
}

/**
 * `parseEditableResponseFieldName` accepts a header's name that may be set, added or removed in a response.
 */
export function parseEditableResponseFieldName(name: string): string | Refusal {
  const parsed = parseEditableFieldName(name);
  if (parsed !== 'date') return parsed;
  return new Refusal("`date` can't be edited here: it is kept as the primary sent it, or umbra's own");
}

/**
 * `parseFieldValue` removes white space around a value (RFC 9110, section 5.5). A refusal never repeats the
 * value, which may be a secret.
 */
export function parseFieldValue(value: string): string | Refusal {
  if (fieldValue.test(value)) return value.trim();
  return new Refusal(
    'has a character that is not allowed in a header value: use visible ASCII, spaces and tabs',
  );
}

/** `parseFormattedValue` also checks commands in Envoy's format. It returns the value as written. */
export function parseFormattedValue(value: string, place: FormatPlace): string | Refusal {
  const parsed = parseFieldValue(value);
  if (parsed instanceof Refusal) return parsed;
  try {
    compileFormat(parsed, place);
    return parsed;
  } catch (error) {
    if (error instanceof FormatError) return new Refusal(error.message);
    throw error;
  }
}

export function parseMethod(method: string): string | Refusal {
  return isToken(method) ? method.toUpperCase() : new Refusal('expected a method such as GET');
}
