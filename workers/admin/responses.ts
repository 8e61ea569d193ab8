/** Answers that several parts of the admin API give. */
import type { Context, MiddlewareHandler } from 'hono';
import { limits } from '../../core/limits.js';

export function tooLarge(c: Context, bytesMax: number = limits.adminBodyBytes): Response {
  return c.json({ error: `the body is larger than ${bytesMax} bytes` }, 413);
}

export function wrongMethod(allow: string): MiddlewareHandler {
  return async (c) => c.json({ error: `${c.req.method} is not possible here` }, 405, { allow });
}
