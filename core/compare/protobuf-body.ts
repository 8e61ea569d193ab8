/** Bodies of Protocol Buffers and gRPC: where their messages begin, and of which type they are. */
import { grpcMethodOf } from '../grpc/grpc-method.js';
import { grpcMessages } from '../grpc/message-counter.js';
import type { Descriptors } from '../protobuf/descriptors.js';
import type { MessageType } from '../protobuf/field-type.js';
import { WireFault, WireReader } from '../protobuf/wire-format.js';
import { textOrBytes } from './binary-value.js';
import { BodyFault, decodeBody, decodeText } from './body.js';
import { DocumentBounds, invalidDocument } from './document-bounds.js';
import { type Json, parseJson } from './json.js';
import { type MediaType, parseMediaType } from './media-type.js';
import { type ParsedMessages, ProtobufPair } from './protobuf.js';

/** A body whose type is one of the two. */
export interface ProtobufContent {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** The coding of the messages that say that they are compressed (`grpc-encoding`). */
  readonly messageCoding: string;
  /** The target of the request: it names the method, and so the type of the messages. */
  readonly target: string;
}

/** Two bodies as two documents. `read` parses one side and reports whose fault it is. */
export function protobufDocuments(
  primary: ProtobufContent,
  shadow: ProtobufContent,
  descriptors: Descriptors | null,
  isGrpc: boolean,
  read: <T>(reader: (content: ProtobufContent) => T) => readonly [T, T],
): readonly [Json, Json] {
  const type = descriptors === null ? null : typeOf(primary, descriptors, isGrpc);
  if (isGrpc && [primary, shadow].some(({ contentType }) => isJson(parseMediaType(contentType)))) {
    return read((content) => grpcBodies(content).map((bytes) => parseJson(decodeText(bytes, ''))));
  }
  if (isGrpc && [primary, shadow].every(({ contentType }) => isWeb(parseMediaType(contentType)))) {
    return webDocuments(new ProtobufPair(descriptors, type), read);
  }
  const pair = new ProtobufPair(descriptors, type);
  const [left, right] = read((content) => pair.parse(bodiesOf(content, isGrpc)));
  const isList = isGrpc || isDelimited(parseMediaType(primary.contentType));
  const document = (messages: ParsedMessages) => {
    const documents = pair.documents(messages);
    return isList ? documents : documents[0];
  };
  let side = left;
  return read(() => {
    const read = document(side);
    side = right;
    return read;
  });
}

/** The messages of a gRPC body by itself, without types. */
export function parseGrpc(bytes: Uint8Array): Json {
  const alone = new ProtobufPair(null, null);
  return alone.documents(alone.parse(grpcBodies({ bytes, contentType: '', messageCoding: '', target: '' })));
}

/** gRPC-Web: the trailers are the last item of the list, a text. */
function webDocuments(
  pair: ProtobufPair,
  read: <T>(reader: (content: ProtobufContent) => T) => readonly [T, T],
): readonly [Json, Json] {
  const sides = read((content) => {
    const { messages, trailers } = framesOf(content);
    return { parsed: pair.parse(messages), trailers };
  });
  let index = 0;
  return read(() => {
    const { parsed, trailers } = sides[index++]!;
    return [...pair.documents(parsed), ...trailers];
  });
}

function bodiesOf(content: ProtobufContent, isGrpc: boolean): readonly Uint8Array[] {
  if (isGrpc) return grpcBodies(content);
  return isDelimited(parseMediaType(content.contentType)) ? delimited(content.bytes) : [content.bytes];
}

/** Messages of gRPC, decompressed. Each counts as a value: a million empty ones are too many. */
function grpcBodies(content: ProtobufContent): Uint8Array[] {
  return framesOf(content).messages;
}

function framesOf({ bytes, contentType, messageCoding }: ProtobufContent): {
  messages: Uint8Array[];
  trailers: string[];
} {
  const frames = grpcMessages(bytes, isWeb(parseMediaType(contentType)));
  if (frames === null) throw invalidDocument(0);
  const bounds = new DocumentBounds();
  const messages: Uint8Array[] = [];
  const trailers: string[] = [];
  for (const frame of frames) {
    bounds.value(0, 0);
    if (frame.compressed && (messageCoding === '' || messageCoding === 'identity')) {
      throw new BodyFault('invalid-encoding');
    }
    const content = frame.compressed ? decodeBody(frame.bytes, messageCoding) : frame.bytes;
    if (frame.isTrailers) trailers.push(textOrBytes(content));
    else messages.push(content);
  }
  return { messages, trailers };
}

function isWeb({ essence }: MediaType): boolean {
  return essence.startsWith('application/grpc-web');
}

function isJson({ essence }: MediaType): boolean {
  return essence.endsWith('+json');
}

/** Each message with its length before it, as Prometheus sends them. */
function isDelimited({ parameters }: MediaType): boolean {
  return parameters.get('encoding') === 'delimited';
}

function delimited(bytes: Uint8Array): Uint8Array[] {
  const reader = new WireReader(bytes);
  const messages: Uint8Array[] = [];
  const bounds = new DocumentBounds();
  try {
    while (!reader.isAtEnd) {
      bounds.value(0, reader.at);
      const end = Number(reader.varint()) + reader.at;
      if (end > bytes.length) throw invalidDocument(reader.at);
      messages.push(bytes.subarray(reader.at, end));
      reader.at = end;
    }
  } catch (error) {
    throw error instanceof WireFault ? invalidDocument(error.position) : error;
  }
  return messages;
}

/** Parameters of a media type that name the type of its messages, in lower case. */
const typeParameters = ['messagetype', 'proto', 'type', 'schema'];

function typeOf(
  { contentType, target }: ProtobufContent,
  descriptors: Descriptors,
  isGrpc: boolean,
): MessageType | null {
  if (isGrpc) {
    // A route may stand below a prefix; the method is the end of the path.
    const method = grpcMethodOf(target)?.split('/').slice(-2).join('/') ?? '';
    return descriptors.message(descriptors.method(method)?.output ?? '');
  }
  const { parameters } = parseMediaType(contentType);
  const name = typeParameters
    .map((parameter) => parameters.get(parameter))
    .find((value) => value !== undefined);
  return descriptors.message(name ?? '');
}
