/** Hides what is secret in the messages of a gRPC body that are text, as with `application/grpc+json`. */
import { framedMessage, grpcMessages } from '../grpc/message-counter.js';
import type { Redaction } from '../redact.js';
import { redactBody } from './body-redaction.js';

/**
 * Returns the body with each message redacted by itself, so that its prefix says its new length. Null: a
 * message is compressed, or the body does not consist of whole messages, so it can't be looked into.
 */
export function redactGrpcBody(body: Uint8Array, redaction: Redaction): Buffer | null {
  const messages = grpcMessages(body);
  if (messages === null || messages.some(({ compressed }) => compressed)) return null;
  return Buffer.concat(
    messages.map(({ bytes }) =>
      framedMessage(
        Buffer.from(redactBody(bytes.toString('latin1'), 'application/json', redaction), 'latin1'),
      ),
    ),
  );
}
