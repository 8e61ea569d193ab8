/**
 * What one page shows of a snapshot: everything, or one route with its mirrors and versions. Panels draw
 * views and know nothing of the page's address. Pure.
 */
import { mirrorKey, mirrorOver, seriesKey, versionOver } from './model.js';
import { stateOf } from './trouble.js';

/** Figures in the view are means of this many seconds. */
export const recentS = 10;
/** Points in which a shadow is found dead, so that the page shows it at once and not after ten seconds. */
const latestPoints = 3;

/**
 * A view:
 *
 *   route      the name of the only route, or null for all
 *   snapshot   the newest snapshot, as it came
 *   points     the points of the last ten seconds
 *   routes     [{ name, config, primaries: [series], weights: Map, rate, mirrors }]; `config` is the route in
 *              api/config, or null; `rate` is null where its versions also answer on other routes
 *   mirrors    [{ ...stats, primary, recent, shadow, summary, compares, baseline, setting, state }]
 *   series     [{ name, role, title, live, counts, recent }], versions in a role; a primary that is asked
 *              once more has the role `shadow` and the title `baseline`
 *
 * `config`, `diffs` and `status` are the answers of the API, or null until they come. A mirror's `change` is
 * what of it differs from the configuration, as `status` has it.
 */
export function viewOf(model, { config = null, diffs = null, status = null, route = null } = {}) {
  const { snapshot } = model;
  const points = model.last(recentS);
  const settings = new Map((config?.routes ?? []).map((one) => [one.name, one]));
  const recents = new Map();
  const recentOf = (series) => {
    const key = seriesKey(series);
    if (!recents.has(key)) recents.set(key, versionOver(points, key));
    return recents.get(key);
  };
  const mirrors = mirrorsOf(snapshot, points, { settings, diffs, status, recentOf });
  const routes = routesOf(snapshot, settings, mirrors, recentOf);
  const shown = route === null ? routes : routes.filter(({ name }) => name === route);
  const shownMirrors = route === null ? mirrors : mirrors.filter((mirror) => mirror.route === route);
  return {
    route,
    snapshot,
    points,
    routes: shown,
    mirrors: shownMirrors,
    series: seriesOf(snapshot, route === null ? null : namesOf(shown, shownMirrors), { mirrors, recentOf }),
  };
}

function mirrorsOf(snapshot, points, { settings, diffs, status, recentOf }) {
  const changes = new Map(
    (status?.live ?? []).filter(({ what }) => what === 'mirror').map((one) => [mirrorKey(one), one]),
  );
  const primaries = new Map(snapshot.live.mirrors.map((mirror) => [mirrorKey(mirror), mirror.primary]));
  const baselines = new Map(
    snapshot.stats.mirrors
      .filter(({ baselineOf }) => baselineOf !== null)
      .map((one) => [mirrorKey({ route: one.route, to: one.baselineOf }), one]),
  );
  const summaries = new Map(
    (Array.isArray(diffs?.mirrors) ? diffs.mirrors : []).map((one) => [
      mirrorKey({ route: one.route, to: one.version }),
      one,
    ]),
  );
  return snapshot.stats.mirrors.flatMap((mirror) => {
    const key = mirrorKey(mirror);
    const primary = primaries.get(key) ?? null;
    if (primary === null || mirror.baselineOf !== null) return [];
    const setting = settings.get(mirror.route)?.mirrors?.find(({ to }) => to === mirror.to) ?? null;
    const baseline = baselines.get(key) ?? null;
    const view = {
      ...mirror,
      primary,
      setting,
      recent: mirrorOver(points, mirror.route, mirror.to),
      latest: mirrorOver(points.slice(-latestPoints), mirror.route, mirror.to),
      shadow: mirror.sink ? null : recentOf({ name: mirror.to, role: 'shadow' }),
      ejected: snapshot.stats.versions[mirror.to]?.shadow?.ejection?.ejected ?? 0,
      endpoints: mirror.sink ? [] : (snapshot.stats.versions[mirror.to]?.endpoints ?? []),
      summary: summaries.get(key) ?? null,
      change: changes.get(key) ?? null,
      // Without the configuration, a pair that was taken apart shows that the mirror compares.
      compares:
        setting === null ? mirror.compare.examined > 0 : !['off', undefined].includes(setting.compare),
      baseline:
        baseline === null
          ? null
          : { to: baseline.to, recent: mirrorOver(points, baseline.route, baseline.to) },
    };
    return [{ ...view, state: stateOf(view) }];
  });
}

/** Routes in the order of the configuration; those that only have mirrors while it is not known yet. */
function routesOf(snapshot, settings, mirrors, recentOf) {
  const byRoute = new Map();
  for (const mirror of mirrors) {
    if (!byRoute.has(mirror.route)) byRoute.set(mirror.route, []);
    byRoute.get(mirror.route).push(mirror);
  }
  const names = new Set([...settings.keys(), ...byRoute.keys()]);
  const measured = new Map((snapshot.live.routes ?? []).map((one) => [one.name, one]));
  const weightsOf = new Map([...names].map((name) => [name, weights(settings.get(name), byRoute.get(name))]));
  const uses = new Map();
  for (const shares of weightsOf.values())
    for (const name of shares.keys()) uses.set(name, (uses.get(name) ?? 0) + 1);
  return [...names].map((name) => {
    const shares = weightsOf.get(name);
    const primaries = [...shares.keys()].map((version) => {
      const series = { name: version, role: 'primary' };
      const counts = snapshot.stats.versions[version]?.primary ?? null;
      return {
        ...series,
        recent: recentOf(series),
        weight: shares.get(version),
        isShared: uses.get(version) > 1,
        ejected: counts?.ejection?.ejected ?? 0,
      };
    });
    const own = primaries.every(({ isShared }) => !isShared);
    return {
      name,
      config: settings.get(name) ?? null,
      primaries,
      weights: shares,
      rate:
        measured.get(name)?.rate ??
        (own ? primaries.reduce((sum, { recent }) => sum + (recent?.rate ?? 0), 0) : null),
      mirrors: byRoute.get(name) ?? [],
    };
  });
}

/** The versions that answer on a route with their weights. */
function weights(setting, mirrors = []) {
  const primary = setting?.primary;
  if (typeof primary === 'string') return new Map([[primary, 100]]);
  if (primary !== null && typeof primary === 'object') return new Map(Object.entries(primary));
  // The label of several is their names joined.
  return new Map(
    (setting === undefined ? (mirrors[0]?.primary?.split(' + ') ?? []) : []).map((one) => [one, 100]),
  );
}

function namesOf(routes, mirrors) {
  const names = new Set(mirrors.map(({ to }) => seriesKey({ name: to, role: 'shadow' })));
  for (const { primaries } of routes) for (const series of primaries) names.add(seriesKey(series));
  for (const { baseline } of mirrors)
    if (baseline !== null) names.add(seriesKey({ name: baseline.to, role: 'shadow' }));
  return names;
}

function seriesOf(snapshot, names, { mirrors, recentOf }) {
  const shadows = new Set(mirrors.map(({ to }) => to));
  const isBaseline = ({ name, role }) => role === 'shadow' && !shadows.has(name);
  return snapshot.live.versions
    .filter((one) => names === null || names.has(seriesKey(one)))
    .map((live) => ({
      name: live.name,
      role: live.role,
      title: isBaseline(live) ? 'baseline' : live.role,
      live,
      counts: snapshot.stats.versions[live.name][live.role],
      recent: recentOf(live),
    }));
}
