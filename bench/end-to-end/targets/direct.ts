/**
 * No proxy: what the origin and the load generator reach by themselves. A ceiling, and the no-op baseline.
 */
import type { Target } from './target.js';

export const direct: Target = {
  name: 'direct',
  mirrors: false,
  missing: () => null,
  start: async ({ primary }) => ({
    url: `http://127.0.0.1:${primary.port}/`,
    pids: () => [],
    stop: async () => {},
  }),
};
