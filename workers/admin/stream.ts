/** `GET /api/stream`: the live feed as server-sent events. */
import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import type { LiveFeed } from './live-feed.js';

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Keeps a proxy in between from buffering events.
  'x-accel-buffering': 'no',
};

export function streamAnswer(c: Context, feed: LiveFeed): Response {
  // Nobody would read the body, so nothing would end it.
  if (c.req.method === 'HEAD') return c.body(null, 200, headers);
  const lastId = Number(c.req.header('last-event-id') ?? 0);
  const { outgoing } = (c.env ?? {}) as { outgoing?: ServerResponse };
  const stream = feed.subscribe(Number.isSafeInteger(lastId) ? lastId : 0, () => outgoing?.destroy());
  if (stream === null) return c.json({ error: 'too many streams are open' }, 503, { 'retry-after': '5' });
  return c.body(stream, 200, headers);
}
