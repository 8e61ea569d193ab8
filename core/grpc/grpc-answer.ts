/**
 * umbra's own answers to gRPC requests: a head without a body, "Trailers-Only" (gRPC over HTTP/2), or the
 * trailers of a response that fails behind its head.
 */
import { grpcStatusOfHttp } from './grpc-status.js';
import { encodeGrpcMessage } from './status-text.js';

/** The HTTP status of every such answer. */
export const GRPC_ANSWER_STATUS = 200;
/** Characters of the text that clients get. */
const MESSAGE_CHARS = 1024;

/**
 * The field lines of the answer that is `status` with `text` and `lines` over HTTP. `lines` and the result
 * are wire strings.
 */
export function grpcAnswerLines(status: number, text: string, lines: string): string {
  return `content-type: application/grpc\r\n${grpcStatusLines(status, text)}${withoutContentType(lines)}`;
}

/** The outcome of the answer that is `status` with `text` over HTTP: lines of a head or of trailers. */
export function grpcStatusLines(status: number, text: string): string {
  const message = encodeGrpcMessage(text.slice(0, MESSAGE_CHARS).trimEnd());
  const statusLine = `grpc-status: ${grpcStatusOfHttp(status)}\r\n`;
  return message === '' ? statusLine : `${statusLine}grpc-message: ${message}\r\n`;
}

function withoutContentType(lines: string): string {
  return lines.replace(/^content-type:.*\r\n/gim, '');
}
