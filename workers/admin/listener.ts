/** How Node's HTTP server calls the admin app. Loaded with the first request (`server`). */
import type { RequestListener } from 'node:http';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';

export function listenerOf(app: Hono): RequestListener {
  return getRequestListener(app.fetch, {
    // For HTTP/1.0 requests without a Host field. It is not a loopback name, so the guard rejects them there.
    hostname: 'unnamed',
    overrideGlobalObjects: false,
    errorHandler: answerFault,
  });
}

/** `answerFault` answers requests that never reach the app: their target or Host field makes no valid URL. */
function answerFault(error: unknown): Response {
  if (error instanceof RequestError) return Response.json({ error: error.message }, { status: 400 });
  return Response.json({ error: 'internal error' }, { status: 500 });
}
