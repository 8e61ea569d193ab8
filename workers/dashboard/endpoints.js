/** The pairs of each mirror of a view by endpoint, and the gRPC calls of all versions by method. */

import { badge } from './badge.js';
import { byId, el, scroller, setText } from './dom.js';
import { count, duration, percent } from './format.js';

/** Rows of one mirror; the report and api/endpoints have them all. */
const rowsShown = 20;

export class Endpoints {
  #place;
  #shown = '';

  constructor(place) {
    this.#place = place;
  }

  /** `answer` is that of api/endpoints; only the mirrors of `route` are shown where it is not null. */
  update(answer, route) {
    const all = Array.isArray(answer?.mirrors) ? answer.mirrors : [];
    const mirrors = all.filter(
      (mirror) =>
        mirror.primary !== null && mirror.endpoints.length > 0 && (route === null || mirror.route === route),
    );
    // Versions serve many routes, so their methods are on the first page alone.
    const grpc = route === null && Array.isArray(answer?.grpc) ? answer.grpc : [];
    byId('endpoints-panel').hidden = mirrors.length + grpc.length === 0;
    const shown = JSON.stringify([mirrors, grpc]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const what = [
      ...(mirrors.length > 0 ? ['pairs by endpoint'] : []),
      ...(grpc.length > 0 ? ['gRPC calls by method'] : []),
    ];
    setText(byId('endpoints-title'), what.join(', ').replace(/^p/, 'P'));
    const isCut =
      mirrors.some(({ endpoints }) => endpoints.length > rowsShown) ||
      grpc.some(({ methods }) => methods.length > rowsShown);
    setText(byId('endpoints-note'), isCut ? `the ${rowsShown} most frequent; api/endpoints has all` : '');
    this.#place.replaceChildren(...mirrors.flatMap(pairsTable), ...grpc.flatMap(methodTable));
  }
}

function pairsTable({ route, version, primary, endpoints }) {
  const heads = [
    'endpoint',
    'pairs',
    `errors ${primary} | ${version}`,
    `p50 ${primary} | ${version}`,
    'slower',
    'differ',
  ];
  const name = `Pairs of route ${route} with ${version} by endpoint`;
  return titledTable(
    badge(version, 'shadow'),
    ` route ${route}`,
    name,
    heads,
    endpoints.slice(0, rowsShown).map(pairsRow),
  );
}

function methodTable({ version, role, methods }) {
  const heads = ['gRPC method', 'calls', 'errors', 'messages sent | received', 'p50', 'p99'];
  const name = `gRPC calls of ${version} as ${role} by method`;
  return titledTable(
    badge(version, role),
    ` gRPC calls as ${role}`,
    name,
    heads,
    methods.slice(0, rowsShown).map(methodRow),
  );
}

/** `name` is for screen readers. */
function titledTable(mark, title, name, heads, rows) {
  return [
    el('h3', {}, mark, el('span', { className: 'muted', textContent: title })),
    scroller(
      name,
      el(
        'table',
        {},
        el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col', textContent: head })))),
        el('tbody', {}, ...rows),
      ),
    ),
  ];
}

function cell(textContent, bad = false) {
  return el('td', { textContent, className: bad ? 'bad' : '' });
}

function methodRow({ method, calls, errors, statuses, messages, latencyUs }) {
  const title = Object.entries(statuses)
    .map(([status, times]) => `${status} ${count(times)}`)
    .join(', ');
  return el(
    'tr',
    { title },
    el('th', { scope: 'row' }, el('bdi', { className: 'path', textContent: method })),
    cell(count(calls)),
    cell(count(errors), errors > 0),
    cell(`${count(messages.sent)} | ${count(messages.received)}`),
    cell(duration(latencyUs.p50)),
    cell(duration(latencyUs.p99)),
  );
}

function pairsRow({ endpoint, pairs, primaryErrors, shadowErrors, primaryUs, shadowUs, slower, different }) {
  const middles = slower === null ? '–' : `${duration(primaryUs.p50)} | ${duration(shadowUs.p50)}`;
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, el('bdi', { className: 'path', textContent: endpoint })),
    cell(count(pairs)),
    cell(`${count(primaryErrors)} | ${count(shadowErrors)}`, shadowErrors > primaryErrors),
    cell(middles),
    cell(slower === null ? '–' : relative(slower)),
    cell(count(different)),
  );
}

/** Latencies are counted in steps, so less than a thousandth is nothing. */
function relative(slower) {
  if (Math.abs(slower) < 0.001) return '0 %';
  return `${slower < 0 ? '−' : '+'}${percent(Math.abs(slower))}`;
}
