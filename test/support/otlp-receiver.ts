/**
 * A receiver of spans by OTLP over HTTP. It decodes protobuf by field numbers (opentelemetry-proto 1.x,
 * trace.proto, common.proto, collector/trace_service.proto), and shares no code with the sender.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly {
    readonly name: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 0 unset, 2 error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** The values of a message by field number. */
type Message = Map<number, (bigint | Buffer)[]>;

const Wire = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

function decode(bytes: Buffer): Message {
  const message: Message = new Map();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    if (at > bytes.length) throw new Error('a field is longer than its message');
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    let value: bigint | Buffer;
    if (wire === Wire.VARINT) value = varint();
    else if (wire === Wire.FIXED64) value = take(8).readBigUInt64LE();
    else if (wire === Wire.BYTES) value = take(Number(varint()));
    else if (wire === Wire.FIXED32) value = BigInt(take(4).readUInt32LE());
    else throw new Error(`wire type ${wire}`);
    message.set(key >>> 3, [...(message.get(key >>> 3) ?? []), value]);
  }
  return message;
}

const messages = (of: Message, field: number): Message[] =>
  (of.get(field) ?? []).map((one) => decode(one as Buffer));
const bytesOf = (of: Message, field: number): Buffer =>
  (of.get(field)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
const hex = (of: Message, field: number): string => bytesOf(of, field).toString('hex');
const text = (of: Message, field: number): string => bytesOf(of, field).toString();
const number = (of: Message, field: number): bigint => (of.get(field)?.[0] as bigint | undefined) ?? 0n;

/** AnyValue: string 1, bool 2, int 3, double 4, array 5. */
function anyValue(value: Message): unknown {
  if (value.has(1)) return text(value, 1);
  if (value.has(2)) return number(value, 2) !== 0n;
  if (value.has(3)) return Number(number(value, 3));
  if (value.has(4)) {
    const double = Buffer.alloc(8);
    double.writeBigUInt64LE(number(value, 4));
    return double.readDoubleLE();
  }
  return messages(decode(bytesOf(value, 5)), 1).map(anyValue);
}

function attributes(of: Message, field: number): Record<string, unknown> {
  return Object.fromEntries(
    messages(of, field).map((pair) => [text(pair, 1), anyValue(decode(bytesOf(pair, 2)))]),
  );
}

function spansOf(body: Buffer): ReceivedSpan[] {
  return messages(decode(body), 1).flatMap((resourceSpans) => {
    const resource = attributes(decode(bytesOf(resourceSpans, 1)), 1);
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentSpanId: hex(span, 4),
        name: text(span, 5),
        kind: Number(number(span, 6)),
        startNs: number(span, 7),
        endNs: number(span, 8),
        attributes: attributes(span, 9),
        events: messages(span, 11).map((event) => ({
          name: text(event, 2),
          attributes: attributes(event, 3),
        })),
        links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
        status: Number(number(decode(bytesOf(span, 15)), 3)),
        resource,
      }));
  });
}

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly paths: string[] = [];
  /** What it answers. */
  status = 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        this.paths.push(`${request.method} ${request.url} ${request.headers['content-type']}`);
        if (this.status === 200) this.spans.push(...spansOf(Buffer.concat(pieces)));
        response.writeHead(this.status, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
  }

  static async listen(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
