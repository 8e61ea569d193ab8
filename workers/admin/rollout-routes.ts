/**
 * Rollouts through the admin API:
 *
 *   GET  /api/rollouts                 the last rollout of each route
 *   POST /api/rollouts                 { "route": "reviews", "to": "v2", … }: keys of `routes[].rollout`
 *   GET  /api/rollouts/ROUTE
 *   POST /api/rollouts/ROUTE/COMMAND   pause, resume, promote or abort: { "reason": "…" }; promote also
 *                                      { "full": true }: all steps
 */
import type { Context, Hono } from 'hono';
import { type RolloutCommand, rolloutCommands } from '../control/rollouts.js';
import type { RunningRollout } from '../control/running-rollout.js';
import { readBody } from './body.js';
import type { AdminDeps } from './deps.js';
import { checkContentType } from './guard.js';
import { wrongMethod } from './responses.js';
import { type RolloutBody, rolloutBody } from './rollout-body.js';

const JSON_TYPES = ['application/json'];
const reasonMax = 500;

export function addRollouts(app: Hono, deps: AdminDeps): void {
  const bodyOf = ({ record, judged, fleet }: RunningRollout): RolloutBody =>
    rolloutBody(record, judged, deps.wallMs(), fleet);
  app.get('/api/rollouts', (c) => c.json({ rollouts: deps.rollouts().all.map(bodyOf) }));
  app.post('/api/rollouts', checkContentType(JSON_TYPES), async (c) => {
    const body = await bodyObject(c);
    if (body instanceof Response) return body;
    const { route, ...settings } = body;
    if (typeof route !== 'string')
      return c.json({ error: 'expected { "route": ROUTE, "to": VERSION, … }' }, 400);
    const configured = deps.observe().plan.routes.find(({ name }) => name === route)?.rollout ?? null;
    // The schema is loaded with the first rollout: it is the largest part of what this thread would load.
    const { rolloutSettings } = await import('../../config/rollout-settings.js');
    const read = rolloutSettings(settings, configured);
    if (!read.ok)
      return c.json({ error: 'the settings of the rollout were rejected', problems: read.problems }, 422);
    const answer = await deps.rollouts().start(route, read.plan);
    if ('status' in answer) return c.json({ error: answer.message }, answer.status);
    deps.log.info(
      { route, to: read.plan.to },
      `rollout of ${route} to ${read.plan.to} started through the admin API`,
    );
    return c.json(bodyOf(answer), 201);
  });
  app.all('/api/rollouts', wrongMethod('GET, HEAD, POST'));

  app.get('/api/rollouts/:route', (c) => {
    const route = c.req.param('route');
    const rollout = deps.rollouts().of(route);
    return rollout === undefined
      ? c.json({ error: `route ${JSON.stringify(route)} has no rollout` }, 404)
      : c.json(bodyOf(rollout));
  });
  app.all('/api/rollouts/:route', wrongMethod('GET, HEAD'));

  app.post('/api/rollouts/:route/:command', checkContentType(JSON_TYPES), async (c) => {
    const { route, command: word } = c.req.param();
    const command = rolloutCommands.find((one) => one === word);
    if (command === undefined)
      return c.json(
        { error: `unknown command ${JSON.stringify(word)}: expected ${rolloutCommands.join(', ')}` },
        404,
      );
    const body = await bodyObject(c);
    if (body instanceof Response) return body;
    const unknown = Object.keys(body).find(
      (key) => key !== 'reason' && (key !== 'full' || command !== 'promote'),
    );
    if (unknown !== undefined) return c.json({ error: `unknown key ${JSON.stringify(unknown)}` }, 400);
    const { reason = '', full = false } = body;
    if (typeof reason !== 'string' || reason.length > reasonMax)
      return c.json({ error: `reason must be a text of at most ${reasonMax} characters` }, 400);
    if (typeof full !== 'boolean') return c.json({ error: 'full must be true or false' }, 400);
    const why =
      reason === '' ? `${pastOf[command]} ${whoOf(c)}` : `${pastOf[command]} ${whoOf(c)}: ${reason}`;
    const answer = await deps.rollouts().command(route, command, why, full);
    if ('status' in answer) return c.json({ error: answer.message }, answer.status);
    deps.log.info({ route, command, reason }, `rollout of ${route}: ${why}`);
    return c.json(bodyOf(answer));
  });
  app.all('/api/rollouts/:route/:command', wrongMethod('POST'));
}

const pastOf: Readonly<Record<RolloutCommand, string>> = {
  pause: 'paused',
  resume: 'resumed',
  promote: 'promoted',
  abort: 'aborted',
};

function whoOf(c: Context): string {
  const by = c.req.header('x-umbra-by');
  return by === 'command' ? 'by a command' : by === 'page' ? 'on the live page' : 'through the admin API';
}

/** An empty body is an empty object. */
async function bodyObject(c: Context): Promise<Record<string, unknown> | Response> {
  const text = await readBody(c);
  if (typeof text !== 'string') return text;
  try {
    const value: unknown = text.trim() === '' ? {} : JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    return c.json({ error: 'the body is not JSON' }, 400);
  }
  return c.json({ error: 'the body must be a JSON object' }, 400);
}
