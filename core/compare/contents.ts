/** Two bodies that are not equal as bytes, compared by what their types say that they are. */

import type { Descriptors } from '../protobuf/descriptors.js';
import type { Redaction } from '../redact.js';
import { attempt } from './attempt.js';
import { diffBinary } from './binary-diff.js';
import { textOrBytes } from './binary-value.js';
import { decodeText } from './body.js';
import { parseCbor } from './cbor.js';
import type { NotComparableReason } from './difference.js';
import { type Json, parseJson } from './json.js';
import { diffJson, jsonForm } from './json-diff.js';
import type { DocumentForm, JsonRules, OnDifference } from './json-rules.js';
import { markupForm, parseMarkup } from './markup.js';
import { type BodyForm, bodyFormOf, type MediaType, parseMediaType } from './media-type.js';
import { parseMsgpack } from './msgpack.js';
import { parseProtobuf } from './protobuf.js';
import { parseGrpc, protobufDocuments } from './protobuf-body.js';
import { parseEventStream, parseForm, parseJsonLines, parseMultipart } from './record-lists.js';
import { bodyText, diffText } from './text-diff.js';

/** A decoded body with its Content-Type. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** `grpc-encoding`, or empty. */
  readonly messageCoding: string;
  /** The target of the request; a wire string. */
  readonly target: string;
}

/** A text of markup from which on its words are compared instead of the whole. */
const longTextChars = 80;

/** Why each side can't be read; null for a side that can. */
export class ContentFault extends Error {
  readonly primary: NotComparableReason | null;
  readonly shadow: NotComparableReason | null;
  constructor(primary: NotComparableReason | null, shadow: NotComparableReason | null) {
    super(`not comparable: ${primary ?? shadow}`);
    this.primary = primary;
    this.shadow = shadow;
  }
}

/** Calls `on` with each difference; with none, the bodies are equal. Throws `ContentFault`. */
export function diffContents(
  primary: Content,
  shadow: Content,
  rules: JsonRules,
  descriptors: Descriptors | null,
  on: OnDifference,
): void {
  const [a, b] = [parseMediaType(primary.contentType), parseMediaType(shadow.contentType)];
  const form = commonForm(bodyFormOf(a), bodyFormOf(b));
  if (form === 'binary') {
    diffBinary(primary.bytes, shadow.bytes, on);
    return;
  }
  const read = <T>(reader: (content: Content, type: MediaType) => T): readonly [T, T] => {
    const [first, second] = [attempt(() => reader(primary, a)), attempt(() => reader(shadow, b))];
    if (first.fault !== null || second.fault !== null) throw new ContentFault(first.fault, second.fault);
    return [first.value, second.value];
  };
  if (form === 'text') {
    const [left, right] = read(({ bytes, contentType }) => decodeText(bytes, contentType));
    if (left !== right) diffText(left, right, rules.redaction, bodyText, on);
    return;
  }
  const [left, right] =
    form === 'grpc' || form === 'protobuf'
      ? protobufDocuments(primary, shadow, descriptors, form === 'grpc', read)
      : read((content, type) => documentOf(form, content, type));
  const isMarkup = form === 'html' || form === 'xml';
  const compared = attempt(() => {
    diffJson(left, right, rules, on, isMarkup ? markupOf(rules.redaction) : jsonForm);
  });
  if (compared.fault !== null) throw new ContentFault(compared.fault, compared.fault);
}

/** `commonForm` is text for a text and a document, and bytes for two kinds of bytes. */
function commonForm(a: BodyForm, b: BodyForm): BodyForm {
  if (a === b) return a;
  const isText = (form: BodyForm) => textual.includes(form);
  return isText(a) && isText(b) ? 'text' : 'binary';
}

const textual: readonly BodyForm[] = ['json', 'json-lines', 'event-stream', 'form', 'html', 'xml', 'text'];

function documentOf(
  form: BodyForm,
  { bytes, contentType }: Pick<Content, 'bytes' | 'contentType'>,
  type: MediaType,
): Json {
  switch (form) {
    case 'json':
      return parseJson(decodeText(bytes, ''));
    case 'json-lines':
      return parseJsonLines(decodeText(bytes, ''));
    case 'event-stream':
      return parseEventStream(decodeText(bytes, ''));
    case 'form':
      return parseForm(decodeText(bytes, contentType));
    case 'html':
    case 'xml':
      return parseMarkup(decodeText(bytes, contentType), form === 'html');
    case 'multipart':
      return parseMultipart(bytes, type, partOf);
    case 'msgpack':
      return parseMsgpack(bytes);
    case 'cbor':
      return parseCbor(bytes);
    case 'protobuf':
      return parseProtobuf(bytes);
    case 'grpc':
      return parseGrpc(bytes);
    default:
      return textOrBytes(bytes);
  }
}

/** The content of one part. A part that is itself multipart stays text: depth is no attack then. */
function partOf(bytes: Buffer, contentType: string): Json {
  const type = parseMediaType(contentType);
  const form = bodyFormOf(type);
  return form === 'multipart' || form === 'text' || form === 'binary'
    ? textOrBytes(bytes)
    : documentOf(form, { bytes, contentType }, type);
}

function markupOf(redaction: Redaction): DocumentForm {
  return {
    ...markupForm,
    texts: (primary, shadow, path, on) => {
      if (!path.endsWith('text()') || Math.max(primary.length, shadow.length) < longTextChars) return false;
      diffText(primary, shadow, redaction, { kind: 'markup', prefix: `${path} ` }, on);
      return true;
    },
  };
}
