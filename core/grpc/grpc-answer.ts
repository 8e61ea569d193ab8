/** umbra's own answers to gRPC requests: a head without a body, "Trailers-Only" (gRPC over HTTP/2). */
import { grpcStatusOfHttp } from './grpc-status.js';
import { encodeGrpcMessage } from './status-text.js';

/** The HTTP status of every such answer. */
export const GRPC_ANSWER_STATUS = 200;
/** Characters of the text that clients get. */
const MESSAGE_CHARS = 1024;

/** The field lines of the answer that is `status` with `text` over HTTP; a wire string. */
export function grpcAnswerLines(status: number, text: string): string {
  const message = encodeGrpcMessage(text.slice(0, MESSAGE_CHARS).trimEnd());
  const lines = `content-type: application/grpc\r\ngrpc-status: ${grpcStatusOfHttp(status)}\r\n`;
  return message === '' ? lines : `${lines}grpc-message: ${message}\r\n`;
}
