/**
 * One request to an admin API, over TCP or over the unix socket of `unix:PATH`, which `fetch` can't reach.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface AdminRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly timeoutMs: number;
}

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

const unixScheme = /^unix:(\/.+)$/;

/** `path` is without its first slash. Rejects with the error of the connection, or a TimeoutError. */
export function sendToAdmin(admin: string, path: string, asked: AdminRequest): Promise<AdminAnswer> {
  const socketPath = unixScheme.exec(admin)?.[1];
  return socketPath === undefined ? overTcp(admin, path, asked) : overSocket(socketPath, path, asked);
}

async function overTcp(admin: string, path: string, asked: AdminRequest): Promise<AdminAnswer> {
  const { method, headers, body, timeoutMs } = asked;
  const response = await fetch(new URL(path, admin.endsWith('/') ? admin : `${admin}/`), {
    method,
    headers,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, text: await response.text() };
}

async function overSocket(socketPath: string, path: string, asked: AdminRequest): Promise<AdminAnswer> {
  const { method, headers, body, timeoutMs } = asked;
  const signal = AbortSignal.timeout(timeoutMs);
  const sent = request({ socketPath, method, path: `/${path}`, headers, agent: false, signal });
  sent.end(body ?? undefined);
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const piece of response.setEncoding('utf8')) text += piece;
    return { status: response.statusCode ?? 0, text };
  } catch (error) {
    // An abort hides its own cause.
    throw signal.aborted ? signal.reason : error;
  }
}
