/** Responses that several parts of the admin API use. */
import type { MiddlewareHandler } from 'hono';

export function wrongMethod(allow: string): MiddlewareHandler {
  return async (c) => c.json({ error: `${c.req.method} is not possible here` }, 405, { allow });
}
