/**
 * umbra's own answers to gRPC requests: a head without a body, "Trailers-Only" (gRPC over HTTP/2), or the
 * trailers of a response that fails behind its head.
 */
import { GrpcStatus, grpcStatusOfHttp, grpcStatusOfTrailers } from './grpc-status.js';
import { encodeGrpcMessage } from './status-text.js';

/** The HTTP status of every such answer. */
export const GRPC_ANSWER_STATUS = 200;
/** Characters of the text that clients get. */
const MESSAGE_CHARS = 1024;

/**
 * The field lines of the answer that is `status` with `text` and `lines` over HTTP. A `grpc-status` among
 * `lines` is the status. `lines` and the result are wire strings.
 */
export function grpcAnswerLines(status: number, text: string, lines: string): string {
  const given = grpcStatusOfTrailers(lines);
  const outcome = given === GrpcStatus.NONE ? grpcStatusLines(status, text) : messageLine(text);
  return `content-type: application/grpc\r\n${outcome}${withoutContentType(lines)}`;
}

/** The gRPC status of the answer that is `status` with `lines` over HTTP. */
export function grpcStatusOfAnswer(status: number, lines: string): GrpcStatus {
  const given = grpcStatusOfTrailers(lines);
  return given === GrpcStatus.NONE ? grpcStatusOfHttp(status) : given;
}

/** The outcome of the answer that is `status` with `text` over HTTP: lines of a head or of trailers. */
export function grpcStatusLines(status: number, text: string): string {
  return `grpc-status: ${grpcStatusOfHttp(status)}\r\n${messageLine(text)}`;
}

function messageLine(text: string): string {
  const message = encodeGrpcMessage(text.slice(0, MESSAGE_CHARS).trimEnd());
  return message === '' ? '' : `grpc-message: ${message}\r\n`;
}

function withoutContentType(lines: string): string {
  return lines.replace(/^content-type:.*\r\n/gim, '');
}
