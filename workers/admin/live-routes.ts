/**
 * Live changes through the admin API, and `GET /api/status`. The field `x-umbra-by` says whether a command or
 * the live page asks.
 */
import type { Context, Hono } from 'hono';
import type { LiveCause } from '../../core/live/live-state.js';
import type { LiveAsk } from '../protocol/live-change.js';
import { readBody } from './body.js';
import type { AdminDeps } from './deps.js';
import { checkContentType } from './guard.js';
import { parseMirrorChange } from './mirror-change.js';
import { wrongMethod } from './responses.js';
import { parseReset, parseWeightsChange } from './weights-change.js';

const JSON_TYPES = ['application/json'];
/** Who asks, in the words of the field. */
const callers = ['command', 'page'] as const;

/** What a request asks for, or a short description of the problem. */
type Parsed = LiveAsk | string;

export function addLive(app: Hono, deps: AdminDeps): void {
  app.get('/api/status', (c) => c.json(deps.status()));
  app.all('/api/status', wrongMethod('GET, HEAD'));

  patch(app, deps, '/api/mirrors', (text, by) => {
    const change = parseMirrorChange(text, ['enabled', 'reset']);
    if (typeof change === 'string') return change;
    return { what: 'allMirrors', enabled: change === null ? null : change.enabled!, by };
  });
  patch(app, deps, '/api/weights', (text, by) => parseReset(text) ?? { what: 'resetWeights', by });
  patch(app, deps, '/api/routes/:route/mirrors/:version', (text, by, c) => {
    const { route, version } = c.req.param();
    const change = parseMirrorChange(text, ['percent', 'enabled', 'reset']);
    if (typeof change === 'string') return change;
    return { what: 'live', route, change: { mirrors: { [version]: change } }, by };
  });
  patch(app, deps, '/api/routes/:route', (text, by, c) => {
    const change = parseWeightsChange(text);
    if (typeof change === 'string') return change;
    return { what: 'live', route: c.req.param('route')!, change, by };
  });
}

function patch(
  app: Hono,
  deps: AdminDeps,
  path: string,
  parse: (text: string, by: LiveCause, c: Context) => Parsed,
): void {
  app.patch(path, checkContentType(JSON_TYPES), async (c) => {
    const text = await readBody(c);
    if (typeof text !== 'string') return text;
    const by = callers.find((caller) => caller === c.req.header('x-umbra-by')) ?? 'api';
    const ask = parse(text, by, c);
    return typeof ask === 'string' ? c.json({ error: ask }, 400) : answer(c, deps, ask);
  });
  app.all(path, wrongMethod('PATCH'));
}

async function answer(c: Context, deps: AdminDeps, ask: LiveAsk): Promise<Response> {
  const result = await deps.changeLive(ask);
  if (!result.ok) return c.json({ error: result.message }, statusOf(result.status));
  const { generation, kept = true, warnings = [] } = result;
  const { what, by, ...asked } = ask;
  deps.log.info({ ...asked, by, generation }, `${nouns[what]} changed through the admin API`);
  return c.json({ generation, kept, warnings });
}

const nouns: Readonly<Record<LiveAsk['what'], string>> = {
  live: 'mirrors or weights of a route were',
  allMirrors: 'all mirrors were',
  resetWeights: 'all weights were',
};

function statusOf(status: number): 400 | 404 | 409 | 500 | 503 {
  return status === 400 || status === 404 || status === 409 || status === 503 ? status : 500;
}
