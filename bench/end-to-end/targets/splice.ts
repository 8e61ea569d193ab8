/** The floor under every proxy in Node: the four system calls of a request, and nothing else. */
import { beside, Child } from '../child.js';
import type { Target } from './target.js';

const readyLine = /^ready (\d+)$/;
const readyTimeoutMs = 5000;

export const splice: Target = {
  name: 'splice',
  mirrors: false,
  missing: () => null,
  start: async ({ primary }, { proxy }) => {
    const path = beside('../splice.js', import.meta.url);
    const child = new Child(process.execPath, [path, String(primary.port)], { cpus: proxy });
    const [, port] = await child.line(readyLine, readyTimeoutMs);
    return { url: `http://127.0.0.1:${port}/`, pids: () => [child.pid], stop: () => child.stop() };
  },
};
