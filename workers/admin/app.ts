/**
 * The admin API: health, metrics, statistics, configuration, and the few changes of a running umbra. Errors
 * are `{ "error": "…" }`. It runs on the control thread and affects the data plane only through `AdminDeps`.
 */
import { Hono, type MiddlewareHandler } from 'hono';
import { nowUs } from '../../core/clock.js';
import { withoutSets } from '../../core/compare/diff-book.js';
import { endpointsOf } from '../../core/report/endpoints.js';
import { grpcMethodsOf } from '../../core/report/grpc-methods.js';
import { PrometheusPage } from '../../core/report/prometheus.js';
import { encodeReading } from '../../core/report/raw-reading.js';
import { type Reading, read } from '../../core/report/reading.js';
import { stats } from '../../core/report/stats.js';
import { boundBodies, readBody } from './body.js';
import type { AdminDeps } from './deps.js';
import { addDocuments } from './documents.js';
import { checkContentType, checkHost, checkOrigin, checkRate, checkToken, isLocal } from './guard.js';
import { addLive } from './live-routes.js';
import { openApi } from './openapi.js';
import { addPage } from './page.js';
import { wrongMethod } from './responses.js';
import { withRollouts } from './rollout-metrics.js';
import { addRollouts } from './rollout-routes.js';
import { streamAnswer } from './stream.js';

const CONFIG_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'application/json'];
const INDEX = `umbra: a traffic-mirroring reverse proxy

GET   /healthz  /readyz  /metrics
GET   /api/openapi.json                        a description of this API
GET   /api/stats  /api/status  /api/diffs  /api/endpoints  /api/histograms  /api/config
PUT   /api/config
POST  /api/apply  /api/delete                   documents of Istio or Gateway API; ?dryRun=true&strict=true
GET   /api/rollouts  /api/rollouts/ROUTE
POST  /api/rollouts                             { "route": "reviews", "to": "v2", "steps": "mirror:10m,1%:5m,100%" }
POST  /api/rollouts/ROUTE/COMMAND               pause, resume, promote or abort
PATCH /api/mirrors                              { "enabled": false } or { "reset": true }
PATCH /api/weights                              { "reset": true }
PATCH /api/routes/ROUTE                         { "primary": { "v1": 95, "v2": 5 } } or { "reset": true }
PATCH /api/routes/ROUTE/mirrors/VERSION         { "percent": 25 }, { "enabled": false } or { "reset": true }
`;

/** `createAdminApp` returns an app to which the caller may add routes; the same guards protect them. */
export function createAdminApp(deps: AdminDeps): Hono {
  const app = guardedApp(deps);
  addPage(app);
  addStream(app, deps);
  addReports(app, deps);
  addChanges(app, deps);
  return app;
}

/**
 * `guardedApp` returns an app with the guards and no routes. It throws if other machines can reach the
 * address and no token is set, because nothing would protect it.
 */
export function guardedApp({
  address,
  token,
  figures,
  log,
}: Pick<AdminDeps, 'address' | 'token' | 'figures'> & {
  readonly log: Pick<AdminDeps['log'], 'error'>;
}): Hono {
  if (token === null && !isLocal(address)) {
    throw new Error('the admin API needs a token where other machines can reach it');
  }
  const app = new Hono();
  app.use(
    answerHeaders(),
    checkHost(address, figures),
    checkRate(figures),
    checkOrigin(figures),
    checkToken(token, figures),
    boundBodies(figures),
  );
  app.notFound((c) => c.json({ error: `nothing here: ${c.req.method} ${c.req.path}` }, 404));
  app.onError((error, c) => {
    log.error({ err: error, method: c.req.method, path: c.req.path }, 'an admin request failed');
    return c.json({ error: 'internal error' }, 500);
  });
  return app;
}

function addReports(app: Hono, deps: AdminDeps): void {
  const page = new PrometheusPage();
  const reading = (): Reading => read(deps.observe(), nowUs(), deps.controlCounts(), deps.pairs);

  app.get('/api', (c) => c.text(INDEX));
  app.get('/api/openapi.json', (c) => c.json(openApi()));
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', (c) => (deps.ready() ? c.text('ready\n') : c.text('not ready\n', 503)));
  app.get('/metrics', async (c) => {
    const type = page.contentTypeFor(c.req.header('accept') ?? '');
    const text = await page.render(reading(), deps.diffs(), type);
    const records = deps.rollouts().all.map(({ record }) => record);
    return c.body(withRollouts(text, records, deps.rolloutHooks(), deps.rolloutReports()), 200, {
      'content-type': type,
      vary: 'accept',
    });
  });
  app.get('/api/stats', (c) => {
    const now = reading();
    return c.json(stats(now, deps.verdict(now)));
  });
  app.get('/api/diffs', (c) =>
    c.json(c.req.query('sets') === 'no' ? withoutSets(deps.diffs()) : deps.diffs()),
  );
  app.get('/api/endpoints', (c) => {
    const now = reading();
    return c.json({ mirrors: endpointsOf(now), grpc: grpcMethodsOf(now) });
  });
  app.get('/api/histograms', (c) => c.json(encodeReading(reading())));
  app.get('/api/config', (c) => c.json(deps.effectiveConfig()));
  for (const path of ['/', '/healthz', '/readyz', '/metrics', '/api/openapi.json'])
    app.all(path, wrongMethod('GET, HEAD'));
  for (const name of ['stats', 'histograms', 'diffs', 'endpoints'])
    app.all(`/api/${name}`, wrongMethod('GET, HEAD'));
}

function addStream(app: Hono, { feed }: AdminDeps): void {
  app.get('/api/stream', (c) => streamAnswer(c, feed));
  for (const path of ['/dashboard/:name', '/api/stream']) app.all(path, wrongMethod('GET, HEAD'));
}

function addChanges(app: Hono, deps: AdminDeps): void {
  app.put('/api/config', checkContentType(CONFIG_TYPES), async (c) => {
    const text = await readBody(c);
    if (typeof text !== 'string') return text;
    const result = await deps.replaceConfig(text);
    if (!result.ok && result.status === 503) return c.json({ error: result.message }, 503);
    if (!result.ok)
      return c.json({ error: 'the configuration was rejected', problems: result.problems }, 422);
    const { generation, ended = [] } = result;
    deps.log.info({ generation, ended }, 'configuration replaced through the admin API');
    return c.json({ generation, ended });
  });
  app.all('/api/config', wrongMethod('GET, HEAD, PUT'));

  addDocuments(app, deps);

  addLive(app, deps);
  addRollouts(app, deps);
}

/** Header fields of every response, unless it sets them itself. */
const COMMON_FIELDS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/**
 * `answerHeaders` makes every response uncacheable, protects its content type, and prevents frames and use by
 * other sites.
 */
function answerHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(COMMON_FIELDS)) {
      if (!c.res.headers.has(name)) c.header(name, value);
    }
  };
}
