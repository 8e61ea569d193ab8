/** Which requests are gRPC, and what they call (gRPC over HTTP/2, "Requests"). */

/** The method of gRPC calls where requests are named: `GRPC /package.Service/Method`. */
export const GRPC_METHOD = 'GRPC';

const PREFIX = 'application/grpc';
const NAME = 'content-type:';
const PLUS = 0x2b;
const SEMICOLON = 0x3b;
const SLASH = 0x2f;

/**
 * True for `application/grpc`, with a suffix (`+proto`) or parameters or without. gRPC-Web
 * (`application/grpc-web`) is another protocol: it is forwarded like any other request.
 */
export function isGrpcType(contentType: string): boolean {
  if (!contentType.startsWith(PREFIX) && contentType.slice(0, PREFIX.length).toLowerCase() !== PREFIX) {
    return false;
  }
  if (contentType.length === PREFIX.length) return true;
  const next = contentType.charCodeAt(PREFIX.length);
  return next === PLUS || next === SEMICOLON || next === 0x20;
}

/** True if the field lines of a request (a wire string with names in lower case) have gRPC's Content-Type. */
export function hasGrpcType(fields: string): boolean {
  let at = fields.indexOf(NAME);
  // A name that ends in `content-type` is another field.
  while (at > 0 && fields.charCodeAt(at - 1) !== 0x0a) at = fields.indexOf(NAME, at + 1);
  if (at < 0) return false;
  let from = at + NAME.length;
  while (fields.charCodeAt(from) === 0x20 || fields.charCodeAt(from) === 0x09) from++;
  const end = fields.indexOf('\r', from);
  return isGrpcType(fields.slice(from, end < 0 ? fields.length : end));
}

/** `package.Service/Method` of a target, or null when it is not the path of a method. */
export function grpcMethodOf(target: string): string | null {
  if (target.charCodeAt(0) !== SLASH) return null;
  const query = target.indexOf('?');
  const end = query < 0 ? target.length : query;
  const slash = target.lastIndexOf('/', end - 1);
  return slash < 2 || slash === end - 1 ? null : target.slice(1, end);
}
