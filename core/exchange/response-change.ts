/** A primary's response head with the changes that its route makes for the client. */
import { editedFields, FieldEdits } from '../http/edited-fields.js';
import type { FormatSource } from '../http/format-source.js';
import { ResponseHead, Without } from '../http/response-head.js';
import { scanHead } from '../http/response-head-scanner.js';
import { Scan } from '../http/scan.js';
import { latin1Slice, latin1Write } from '../http/wire.js';
import { limits } from '../limits.js';
import type { HeaderEdits } from '../plan.js';
import { withCors } from './cors.js';

const VERSION = 'HTTP/1.1 ';
const CRLF = '\r\n';

/** One per thread, created for the first changed response. */
let scratch: Buffer | null = null;
const changed = new ResponseHead();

export class ResponseChange {
  /** Changes nothing. */
  static readonly none = new ResponseChange([]);
  /** The edits of the route, then those of the version. */
  readonly #edits: readonly FieldEdits[];

  private constructor(edits: readonly FieldEdits[]) {
    this.#edits = edits;
  }

  /** `of` returns null when nothing is changed. */
  static of(own: HeaderEdits | null, ofRoute: HeaderEdits | null): ResponseChange | null {
    const edits = [ofRoute, own].map((one) => FieldEdits.of(one, 'response')).filter((one) => one !== null);
    return edits.length === 0 ? null : new ResponseChange(edits);
  }

  /** A value has commands, so `apply` needs a source. */
  get hasCommands(): boolean {
    return this.#edits.some((edits) => edits.hasCommands);
  }

  /**
   * `apply` returns the changed head with lines of `Cors`, valid until the next call on this thread. Framing
   * and status are those of `head`. It returns null when the result would be larger than
   * `limits.responseHeadBytes`.
   */
  apply(head: ResponseHead, source: FormatSource | null, cors: string): ResponseHead | null {
    scratch ??= Buffer.allocUnsafeSlow(VERSION.length + limits.responseHeadBytes + 2 * CRLF.length);
    const bytes = scratch;
    const end = head.writeForward(bytes, Without.NOTHING);
    const text = latin1Slice(bytes, 0, end) + CRLF;
    const lineEnd = text.indexOf(CRLF) + CRLF.length;
    const fields = withCors(editedFields(text.slice(lineEnd), this.#edits, source), cors);
    const changedBytes = lineEnd + fields.length;
    if (changedBytes > limits.responseHeadBytes) return null;
    latin1Write(bytes, `${VERSION}${text.slice(0, lineEnd)}${fields}${CRLF}`, 0);
    changed.begin(bytes, 0);
    if (scanHead(changed, VERSION.length + changedBytes + CRLF.length) !== Scan.DONE) return null;
    changed.framing = head.framing;
    changed.contentLength = head.contentLength;
    changed.hasContentLength = head.hasContentLength;
    changed.bodyless = head.bodyless;
    changed.keepAlive = head.keepAlive;
    return changed;
  }
}
