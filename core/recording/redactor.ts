/**
 * What of a message may be written to disk: its target, field lines and body without what core/redact hides.
 */
import { decodeBody } from '../compare/body.js';
import { isGrpcType } from '../grpc/grpc-method.js';
import { withoutFields } from '../http/field-edits.js';
import { fieldValue, lineEnd, trimmedSlice } from '../http/fields.js';
import { limits } from '../limits.js';
import type { RedactPlan } from '../plan.js';
import { Redaction, redacted, secretParts, secretWholes } from '../redact.js';
import { isReadable, redactBody } from './body-redaction.js';
import { redactGrpcBody } from './grpc-redaction.js';
import { WordFinder } from './word-finder.js';

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

/** Forms of credentials that are known by themselves; `@` ends the user information of a URL. */
const credentials = ['bearer ', 'basic ', 'negotiate ', 'ntlm ', 'eyj', '@'];
/** Signs that a name may be spelled otherwise: an escape of JSON, percent signs, a coding. */
const disguises = ['\\u', '%', 'content-encoding', 'grpc-encoding'];
/** Characters that may follow a name that is secret only as a whole word. */
const nameEnds = ['=', ':', '"', "'", ' ', '\\', '>', ']', '/'];
/** Characters of a body that show whether it is JSON. */
const startChars = 64;

export class Redactor {
  readonly #redaction: Redaction;
  readonly #plan: RedactPlan;
  /**
   * Fast pre-filter: where it finds nothing, nothing needs redaction, so most messages are not taken apart.
   */
  readonly #suspicious: WordFinder;
  /** Redacted field lines by the lines as they came: most of them come again and again. */
  readonly #lines = new Map<string, string>();

  constructor(plan: RedactPlan) {
    this.#plan = plan;
    this.#redaction = new Redaction(plan);
    const wholes = plan.defaults ? [...secretWholes, ...plan.query] : plan.query;
    this.#suspicious = new WordFinder([
      ...(plan.defaults ? [...secretParts, ...credentials] : []),
      ...wholes.flatMap((name) => nameEnds.map((end) => name + end)),
      ...(wholes.length > 0 ? disguises : []),
      ...plan.headers,
    ]);
  }

  /**
   * Whether it is certain that nothing in a message has to be hidden. `bytes`: the message as it goes over
   * the wire, with its target.
   */
  isHarmless(bytes: Uint8Array, from: number, to: number): boolean {
    return this.#plan.json.length === 0 && !this.#suspicious.finds(bytes, from, to);
  }

  target(target: string): string {
    return this.#redaction.text(target);
  }

  /** `fields`: field lines, a wire string. */
  message(fields: string, body: readonly Uint8Array[], bodyBytes: number): RedactedMessage {
    const shown = this.#fields(fields);
    if (bodyBytes === 0 || !this.#looksIntoBodies) {
      return { fields: shown, body, bodyBytes, changed: false, withheld: false };
    }
    const contentType = fieldValue(fields, 'content-type') ?? '';
    const coding = fieldValue(fields, 'content-encoding') ?? '';
    const bytes = plain(body, coding);
    if (bytes === null) return { fields: shown, body: nothing, bodyBytes: 0, changed: true, withheld: true };
    // One character for each byte: what is hidden is ASCII, and everything else goes back as it came.
    const text = bytes.latin1Slice();
    // A message of gRPC may be compressed by itself, which the pre-filter does not see.
    const isGrpc = isGrpcType(contentType);
    const isLookedInto =
      isReadable(contentType, text.slice(0, startChars)) &&
      (isGrpc || !this.isHarmless(bytes, 0, bytes.byteLength));
    if (!isLookedInto) return { fields: shown, body, bodyBytes, changed: false, withheld: false };
    const changedBody = isGrpc
      ? redactGrpcBody(bytes, this.#redaction)
      : Buffer.from(redactBody(text, contentType, this.#redaction), 'latin1');
    if (changedBody === null)
      return { fields: shown, body: nothing, bodyBytes: 0, changed: true, withheld: true };
    if (changedBody.equals(bytes)) return { fields: shown, body, bodyBytes, changed: false, withheld: false };
    return {
      fields: coding === '' ? shown : withoutFields(shown, ['content-encoding']),
      body: [changedBody],
      bodyBytes: changedBody.byteLength,
      changed: true,
      withheld: false,
    };
  }

  get #looksIntoBodies(): boolean {
    return this.#plan.defaults || this.#plan.json.length > 0 || this.#plan.query.length > 0;
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
