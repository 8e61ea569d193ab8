/** What of a message may be written to disk: its target, field lines and body without what core/redact hides. */
import { bodyTypeOf, decodeBody } from '../compare/body.js';
import { withoutFields } from '../http/field-edits.js';
import { fieldValue, lineEnd, trimmedSlice } from '../http/fields.js';
import { limits } from '../limits.js';
import type { RedactPlan } from '../plan.js';
import { Redaction, redacted } from '../redact.js';
import { redactJson } from './json-redaction.js';

/** A message of which nothing secret is left. */
export interface RedactedMessage {
  readonly fields: string;
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  /** The body is another one than was sent: its coding was undone, or a part of it is hidden. */
  readonly changed: boolean;
  /** It was left out, because what is in it can't be looked at. */
  readonly withheld: boolean;
}

const nothing: readonly Uint8Array[] = [];

/**
 * A text without any of these holds no secret name, whatever stands between the letters of one, no token and no credentials:
 * most bodies are told to be harmless by it, and need not be taken apart.
 */
const suspicious =
  /a[-_.]*u[-_.]*t[-_.]*h[-_.]*o[-_.]*r|c[-_.]*o[-_.]*o[-_.]*k[-_.]*i[-_.]*e|t[-_.]*o[-_.]*k[-_.]*e[-_.]*n|s[-_.]*e[-_.]*c[-_.]*r[-_.]*e[-_.]*t|p[-_.]*a[-_.]*s[-_.]*s[-_.]*(?:w|p)|k[-_.]*e[-_.]*y|c[-_.]*r[-_.]*e[-_.]*d[-_.]*e[-_.]*n|s[-_.]*i[-_.]*g[-_.]*n[-_.]*a|s[-_.]*i[-_.]*d|s[-_.]*e[-_.]*s[-_.]*s[-_.]*i[-_.]*o|p[-_.]*w[-_.]*d|p[-_.]*i[-_.]*n|c[-_.]*v[-_.]*[vc]|c[-_.]*a[-_.]*r[-_.]*d|bearer|basic|eyJ|\\u/i;

export class Redactor {
  readonly #redaction: Redaction;
  readonly #plan: RedactPlan;
  /** Field lines that come again and again, by themselves as they came. */
  readonly #lines = new Map<string, string>();

  constructor(plan: RedactPlan) {
    this.#plan = plan;
    this.#redaction = new Redaction(plan);
  }

  target(target: string): string {
    return target.includes('?') || target.includes('@') ? this.#redaction.target(target) : target;
  }

  /** `fields`: field lines, a wire string. */
  message(fields: string, body: readonly Uint8Array[], bodyBytes: number): RedactedMessage {
    const shown = this.#fields(fields);
    if (bodyBytes === 0 || !this.#looksIntoBodies) {
      return { fields: shown, body, bodyBytes, changed: false, withheld: false };
    }
    const contentType = fieldValue(fields, 'content-type') ?? '';
    const type = bodyTypeOf(contentType);
    if (type === 'binary' && contentType !== '')
      return { fields: shown, body, bodyBytes, changed: false, withheld: false };
    const coding = fieldValue(fields, 'content-encoding') ?? '';
    const bytes = plain(body, coding);
    if (bytes === null) return { fields: shown, body: nothing, bodyBytes: 0, changed: true, withheld: true };
    // One character for each byte: what is hidden is ASCII, and everything else goes back as it came.
    const text = bytes.latin1Slice();
    const safe = this.#body(text, type, contentType);
    if (safe === text) return { fields: shown, body, bodyBytes, changed: false, withheld: false };
    const changedBody = Buffer.from(safe, 'latin1');
    return {
      fields: coding === '' ? shown : withoutFields(shown, ['content-encoding']),
      body: [changedBody],
      bodyBytes: changedBody.byteLength,
      changed: true,
      withheld: false,
    };
  }

  get #looksIntoBodies(): boolean {
    return this.#plan.defaults || this.#plan.json.length > 0;
  }

  #body(text: string, type: string, contentType: string): string {
    if (this.#plan.json.length === 0 && !suspicious.test(text)) return text;
    if (type === 'json') return redactJson(text, this.#redaction);
    if (/x-www-form-urlencoded/i.test(contentType)) return this.#redaction.target(`?${text}`).slice(1);
    return this.#redaction.text(text);
  }

  #fields(fields: string): string {
    let shown = '';
    let unchanged = true;
    for (let from = 0; from < fields.length; ) {
      const end = lineEnd(fields, from) + 1;
      const line = fields.slice(from, end);
      const safe = this.#line(line);
      if (safe !== line) unchanged = false;
      shown += safe;
      from = end;
    }
    return unchanged ? fields : shown;
  }

  #line(line: string): string {
    const known = this.#lines.get(line);
    if (known !== undefined) return known;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = trimmedSlice(line, colon + 1, line.length - 2);
    const shown = this.#redaction.hidesField(name) ? redacted : this.#redaction.text(value);
    const safe = shown === value ? line : `${line.slice(0, colon)}: ${shown}\r\n`;
    if (line.length <= limits.redactedLineChars) {
      if (this.#lines.size >= limits.redactedLines) this.#lines.clear();
      this.#lines.set(line, safe);
    }
    return safe;
  }
}

/** The body in one piece and without its coding; null: it can't be undone. */
function plain(body: readonly Uint8Array[], coding: string): (Buffer & { latin1Slice(): string }) | null {
  const bytes = body.length === 1 ? body[0] : Buffer.concat(body);
  try {
    const decoded = coding === '' ? bytes : decodeBody(bytes, coding);
    return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.byteLength) as Buffer & {
      latin1Slice(): string;
    };
  } catch {
    return null;
  }
}
