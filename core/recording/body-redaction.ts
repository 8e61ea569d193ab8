/** Hides what is secret in the body of a message, by what its content is rather than by its type alone. */
import { bodyTypeOf } from '../compare/body.js';
import type { Redaction } from '../redact.js';
import { redacted } from '../redact-text.js';
import { beginsAsJson, redactJson } from './json-redaction.js';

const partHeadEnd = '\r\n\r\n';
const readable = ['json', 'xml', 'text', 'form', 'yaml', 'graphql', 'javascript'];

/**
 * Whether a body is to be looked into. `start`: its first characters. JSON is recognized under any type,
 * since many clients send it as what they send everything as.
 */
export function isReadable(contentType: string, start: string): boolean {
  if (contentType === '' || bodyTypeOf(contentType) !== 'binary' || beginsAsJson(start)) return true;
  const lower = contentType.toLowerCase();
  return lower.startsWith('multipart/') || readable.some((word) => lower.includes(word));
}

/** Returns the same string where nothing is hidden. `text`: a wire string without its content coding. */
export function redactBody(text: string, contentType: string, redaction: Redaction): string {
  if (beginsAsJson(text)) return redactJson(text, redaction);
  const lower = contentType.toLowerCase();
  if (lower.startsWith('multipart/')) return redactParts(text, contentType, redaction);
  return lower.includes('x-www-form-urlencoded') ? redaction.form(text) : redaction.text(text);
}

/** RFC 7578: each part names its field, and may have a type of its own. */
function redactParts(text: string, contentType: string, redaction: Redaction): string {
  const boundary = parameterOf(contentType, 'boundary');
  if (boundary === null || boundary === '') return redaction.text(text);
  const delimiter = `--${boundary}`;
  return text
    .split(delimiter)
    .map((part) => redactPart(part, redaction))
    .join(delimiter);
}

function redactPart(part: string, redaction: Redaction): string {
  const headEnd = part.indexOf(partHeadEnd);
  if (headEnd < 0) return redaction.text(part);
  const head = part.slice(0, headEnd);
  const content = part.slice(headEnd + partHeadEnd.length);
  const name = parameterOf(head, 'name');
  const end = content.endsWith('\r\n') ? '\r\n' : '';
  const isSecret = name !== null && redaction.hidesParameter(name);
  const type = typeOf(head);
  const shown = isSecret
    ? `${redacted}${end}`
    : isReadable(type, content)
      ? redactBody(content, type, redaction)
      : content;
  return head + partHeadEnd + shown;
}

/** The value of `; name="value"` or `; name=value` in a field; null without it. */
function parameterOf(text: string, lowerName: string): string | null {
  const lower = text.toLowerCase();
  const mark = `${lowerName}=`;
  for (let at = lower.indexOf(mark); at >= 0; at = lower.indexOf(mark, at + 1)) {
    const before = lower.charCodeAt(at - 1);
    if (before !== 0x3b && !isBlank(before)) continue;
    const start = at + mark.length;
    const quoted = text[start] === '"';
    const from = quoted ? start + 1 : start;
    let end = from;
    while (end < text.length && (quoted ? text[end] !== '"' : !endsParameter(text.charCodeAt(end)))) end++;
    return text.slice(from, end);
  }
  return null;
}

function endsParameter(code: number): boolean {
  return code === 0x3b || isBlank(code);
}

function typeOf(head: string): string {
  const mark = '\r\ncontent-type:';
  const at = head.toLowerCase().indexOf(mark);
  if (at < 0) return '';
  const start = at + mark.length;
  const end = head.indexOf('\r\n', start);
  return head.slice(start, end < 0 ? head.length : end).trimStart();
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
