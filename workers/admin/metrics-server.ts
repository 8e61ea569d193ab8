/** `/metrics` and `/healthz` of a command that runs on its own, behind the guards of the admin API. */
import type { Diffs } from '../../core/compare/diff-book.js';
import type { Address } from '../../core/plan.js';
import { PrometheusPage } from '../../core/report/prometheus.js';
import type { Reading } from '../../core/report/reading.js';
import { guardedApp } from './app.js';
import { AdminFigures } from './figures.js';
import { wrongMethod } from './responses.js';
import { type AdminServer, serveAdmin } from './server.js';

export interface MetricsPlace {
  readonly address: Address;
  /** Required when other machines can reach the address. */
  readonly token: string | null;
}

/** `serveMetrics` rejects with an Error that describes why the address can't be served. */
export async function serveMetrics(
  place: MetricsPlace,
  look: () => { readonly reading: Reading; readonly diffs: Diffs },
  onError: (line: string) => void,
): Promise<AdminServer> {
  const page = new PrometheusPage();
  const log = { error: (_fields: object, message: string): void => onError(message) };
  const app = guardedApp({ ...place, figures: new AdminFigures(), log });
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/metrics', async (c) => {
    const { reading, diffs } = look();
    const type = page.contentTypeFor(c.req.header('accept') ?? '');
    return c.body(await page.render(reading, diffs, type), 200, { 'content-type': type, vary: 'accept' });
  });
  for (const path of ['/healthz', '/metrics']) app.all(path, wrongMethod('GET, HEAD'));
  return serveAdmin(() => app, place.address);
}
