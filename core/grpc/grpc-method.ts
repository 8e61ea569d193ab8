/** Which requests are gRPC, and what they call (gRPC over HTTP/2, "Requests"). */

/** The method of gRPC calls where requests are named: `GRPC /package.Service/Method`. */
export const GRPC_METHOD = 'GRPC';

const PREFIX = 'application/grpc';
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

/** `package.Service/Method` of a target, or null when it is not the path of a method. */
export function grpcMethodOf(target: string): string | null {
  if (target.charCodeAt(0) !== SLASH) return null;
  const query = target.indexOf('?');
  const end = query < 0 ? target.length : query;
  const slash = target.lastIndexOf('/', end - 1);
  return slash < 2 || slash === end - 1 ? null : target.slice(1, end);
}
