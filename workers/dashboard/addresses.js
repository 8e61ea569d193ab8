/** The endpoints of a route's versions: their addresses, health checks and ejections. */
import { badge } from './badge.js';
import { byId, el, scroller } from './dom.js';
import { count, span } from './format.js';

const rowsShown = 50;

export class Addresses {
  #place;
  #shown = '';

  constructor(place) {
    this.#place = scroller('Endpoints of the versions');
    place.append(this.#place);
  }

  hide() {
    byId('addresses-panel').hidden = true;
  }

  draw({ series, snapshot }) {
    const names = [...new Set(series.map(({ name }) => name))];
    const rows = names.flatMap((name) => rowsOf(name, snapshot.stats.versions[name] ?? {}));
    byId('addresses-panel').hidden = rows.length === 0;
    const shown = JSON.stringify(rows);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const heads = ['version', 'endpoint', 'address', 'health check', 'ejections'];
    this.#place.replaceChildren(
      el(
        'table',
        { className: 'words' },
        el('thead', {}, el('tr', {}, ...heads.map((textContent) => el('th', { scope: 'col', textContent })))),
        el('tbody', {}, ...rows.slice(0, rowsShown).map(row)),
      ),
    );
  }
}

/** Ejections are counted by version and role, over all threads. */
function rowsOf(name, { endpoints = [], primary, shadow }) {
  return endpoints.map(({ endpoint, address, health }, i) => ({
    name,
    role: primary === null || primary === undefined ? 'shadow' : 'primary',
    endpoint,
    address: address === endpoint ? '' : address,
    health:
      health === null
        ? 'none'
        : `${health.state}${health.sinceS > 0 ? ` for ${span(health.sinceS)}` : ''}, ${count(health.failed)} failed`,
    isIll: health?.state === 'unhealthy',
    ...(i === 0 ? ejectionsOf([primary, shadow]) : { ejections: '', isEjected: false }),
  }));
}

function ejectionsOf(roles) {
  const counts = roles.filter((role) => role?.ejection !== undefined).map(({ ejection }) => ejection);
  const now = counts.reduce((sum, { ejected }) => sum + ejected, 0);
  const ever = counts.reduce((sum, { ejections }) => sum + ejections, 0);
  return {
    ejections: now > 0 ? `${count(now)} now, ${count(ever)} in all` : count(ever),
    isEjected: now > 0,
  };
}

function row({ name, role, endpoint, address, health, isIll, ejections, isEjected }) {
  const cell = (textContent, bad = false) => el('td', { textContent, className: bad ? 'bad' : '' });
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, badge(name, role)),
    el('td', {}, el('bdi', { className: 'path', textContent: endpoint })),
    cell(address),
    cell(health, isIll),
    cell(ejections, isEjected),
  );
}
