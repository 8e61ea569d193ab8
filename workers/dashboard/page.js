/** The live page: one stream of snapshots in, everything on the page out of it. */
import { Addresses } from './addresses.js';
import { keepToken, send, token } from './api.js';
import { Attention } from './attention.js';
import { giveColours, recolour } from './colours.js';
import { Differences } from './differences.js';
import { byId, el, segments, setText } from './dom.js';
import { Endpoints } from './endpoints.js';
import { Flow } from './flow.js';
import { bytes, clock, count, span } from './format.js';
import { LatencyCharts } from './latency.js';
import { LiveChangesList } from './live-changes.js';
import { Mirrors } from './mirrors.js';
import { Model } from './model.js';
import { RoutePanels } from './panels.js';
import { Poll } from './poll.js';
import { RouteHead } from './route-head.js';
import { inOwnFrame, measured, Schedule } from './schedule.js';
import { Stream } from './stream.js';
import { Threads } from './threads.js';
import { Versions } from './versions.js';
import { viewOf } from './view.js';

const spans = [
  [60, '1 min'],
  [300, '5 min'],
  [900, '15 min'],
];
const percentiles = [
  [0.5, 'p50'],
  [0.9, 'p90'],
  [0.99, 'p99'],
  [0.999, 'p99.9'],
];
/** How long the button that starts all mirrors waits for its second press. */
const sureMs = 4000;
const noticeMs = 6000;

/** The first page shows pairs by endpoint while there are so few mirrors; else each route's page does. */
const endpointsMirrorsMost = 4;
const routeHash = /^#\/routes\/(.+)$/;

const model = new Model();
const schedule = new Schedule();
/** Answers of the API, by name; null until they come. */
const answers = { config: null, diffs: null, endpoints: null, status: null };
let configGeneration = -1;
const attention = new Attention(byId('attention'), () => {
  mirrors.showTroubled();
  byId('mirrors-panel').scrollIntoView();
});
const routeHead = new RouteHead();
const routePanels = new RoutePanels(byId('route-panels'));
const flow = new Flow(byId('flow'));
const charts = new LatencyCharts(byId('by-percentile'), byId('over-time'), model);
const mirrors = new Mirrors(byId('mirrors'));
const versions = new Versions(byId('versions'), () => draw());
const addresses = new Addresses(byId('addresses'));
const endpoints = new Endpoints(byId('endpoints'));
const differences = new Differences(byId('differences'));
const threads = new Threads(byId('threads'));
const liveChanges = new LiveChangesList(byId('live-changes'), () => poll.start());
const poll = new Poll({
  'api/endpoints': { update: take('endpoints'), wanted: showsEndpoints },
  'api/diffs?sets=no': { update: take('diffs') },
  'api/status': {
    update: (status) => {
      liveChanges.update(status);
      take('status')(status);
    },
  },
});

function take(name) {
  return (answer) => {
    answers[name] = answer;
    draw();
  };
}

/** The route whose own page is shown, or null. */
function routeShown() {
  const name = routeHash.exec(location.hash)?.[1];
  try {
    return name === undefined ? null : decodeURIComponent(name);
  } catch {
    return null;
  }
}

function showsEndpoints() {
  return routeShown() !== null || (model.snapshot?.stats.mirrors.length ?? 0) <= endpointsMirrorsMost * 2;
}

segments(byId('window'), 'window', spans, charts.seconds, (seconds) => {
  charts.seconds = seconds;
  charts.draw();
});
segments(byId('percentile'), 'percentile', percentiles, charts.p, (p) => {
  charts.p = p;
  nameOverTime();
  charts.draw();
});
nameOverTime();

function nameOverTime() {
  setText(byId('over-time-caption'), `${percentiles.find(([p]) => p === charts.p)[1]} over time`);
}

const stream = new Stream(
  {
    open() {
      byId('banner').hidden = true;
      byId('ask').hidden = true;
      byId('main').hidden = false;
      document.body.classList.remove('stale');
      poll.start();
    },
    event(name, text) {
      const beginMs = performance.now();
      const data = JSON.parse(text);
      if (name === 'history') model.addHistory(data);
      else if (name === 'snapshot') show(data);
      else if (name === 'end') state('ended', 'umbra has stopped');
      measured('umbra:take', beginMs);
    },
    lost({ inMs, why }) {
      state('lost', 'disconnected');
      poll.stop();
      document.body.classList.add('stale');
      const since =
        model.snapshot === null ? '' : ` These figures are of ${clock(model.snapshot.live.atMs)}.`;
      setText(
        byId('banner-text'),
        `No connection: ${why}.${since} Trying again in ${Math.ceil(inMs / 1000)} s.`,
      );
      byId('banner').hidden = false;
    },
    tokenNeeded({ wrong, wait }) {
      keepToken(null);
      poll.stop();
      state('locked', 'token required');
      byId('main').hidden = true;
      byId('kill').hidden = true;
      byId('banner').hidden = true;
      if (wait)
        setText(
          byId('ask-text'),
          'Too many wrong tokens came from here. Wait a few seconds, then try again.',
        );
      else if (wrong) setText(byId('ask-text'), 'That was not the token.');
      byId('ask').classList.toggle('wrong', wrong);
      byId('ask').hidden = false;
      byId('token').focus();
    },
    paused() {
      poll.stop();
      state('paused', 'paused while out of sight');
    },
  },
  token,
);

function show(snapshot) {
  model.add(snapshot);
  state(snapshot.ready ? 'live' : 'draining', snapshot.ready ? 'live' : 'draining');
  if (snapshot.stats.generation !== configGeneration) {
    void askConfig(snapshot.stats.generation);
    poll.start();
  }
  draw();
}

/** The configuration says how routes look that have no mirror, and changes with its generation alone. */
async function askConfig(generation) {
  configGeneration = generation;
  try {
    answers.config = await send('GET', 'api/config');
    draw();
  } catch {
    configGeneration = -1;
  }
}

function draw() {
  const { snapshot } = model;
  if (snapshot === null) return;
  const route = routeShown();
  const { versions: known, mirrors: all } = snapshot.stats;
  const sinks = all.filter(({ sink }) => sink).map(({ to }) => to);
  if (giveColours(Object.keys(known), sinks)) {
    recolour();
    charts.recolour();
  }
  schedule.replace([
    () => {
      const view = viewOf(model, { ...answers, route });
      const only = route ?? (view.routes.length === 1 ? view.routes[0].name : null);
      const isFew = view.mirrors.length <= endpointsMirrorsMost;
      document.body.dataset.page = route === null ? 'all' : 'route';
      document.body.dataset.size = isFew ? 'few' : 'many';
      schedule.add([
        () => showFacts(snapshot),
        () => showKill(view),
        () => attention.draw(view),
        () => route !== null && routeHead.draw(view),
        inOwnFrame(() => flow.draw(view)),
        () => mirrors.draw(view),
        () => routePanels.draw(view, only),
        inOwnFrame(() => drawCharts(view)),
        () => versions.draw(view),
        () => (only === null ? addresses.hide() : addresses.draw(view)),
        () => endpoints.update(route !== null || isFew ? answers.endpoints : null, route),
        () => differences.update(answers.diffs, view),
        () => threads.draw(view),
      ]);
    },
  ]);
}

function drawCharts(view) {
  charts.draw(view);
  setText(
    byId('latency-note'),
    charts.left === 0
      ? ''
      : `the ${count(view.series.length - charts.left)} busiest of ${count(view.series.length)}; each route’s page has its own`,
  );
}

addEventListener('hashchange', () => {
  scrollTo(0, 0);
  byId('main').focus({ preventScroll: true });
  poll.start();
  draw();
});

function state(name, text) {
  byId('state').dataset.state = name;
  setText(byId('state'), text);
}

const facts = new Map();

function showFacts({ stats, process }) {
  const values = {
    up: span(stats.uptimeS),
    generation: count(stats.generation),
    engine: stats.engine,
    cpu: `${process.cpuCores.toFixed(2)} cores`,
    memory: bytes(process.residentBytes),
  };
  for (const [name, value] of Object.entries(values)) {
    if (!facts.has(name)) {
      const dd = el('dd');
      facts.set(name, dd);
      byId('facts').append(el('div', {}, el('dt', { textContent: name }), dd));
    }
    setText(facts.get(name), value);
  }
}

const killWords = { stop: 'Stop all mirrors', start: 'Start all mirrors' };
let sureTimer = 0;
let killing = false;

function showKill({ snapshot: { live, stats } }) {
  const there = live.mirrors.filter(({ primary }) => primary !== null);
  const on = stats.mirrors.some(({ enabled }) => enabled);
  const kill = byId('kill');
  kill.hidden = there.length === 0;
  if (killing || sureTimer !== 0) return;
  kill.dataset.would = on ? 'stop' : 'start';
  setText(kill, killWords[kill.dataset.would]);
}

byId('kill').addEventListener('click', async () => {
  const kill = byId('kill');
  const enabled = kill.dataset.would === 'start';
  // Stopping is safe and must be fast. Starting also starts what was off on purpose.
  if (enabled && sureTimer === 0) {
    setText(kill, 'Press again to start all');
    sureTimer = setTimeout(() => {
      sureTimer = 0;
      setText(kill, killWords.start);
    }, sureMs);
    return;
  }
  clearTimeout(sureTimer);
  sureTimer = 0;
  killing = true;
  setText(kill, enabled ? 'Starting …' : 'Stopping …');
  try {
    const { generation } = await send('PATCH', 'api/mirrors', { enabled });
    kill.dataset.would = enabled ? 'stop' : 'start';
    notice(
      `All mirrors ${enabled ? 'started' : 'stopped'}: every thread has taken it, as generation ${count(generation)}.`,
      false,
    );
  } catch (error) {
    notice(`Not changed: ${error.message}.`, true);
  }
  killing = false;
  setText(kill, killWords[kill.dataset.would]);
});

let noticeTimer = 0;

function notice(text, bad) {
  clearTimeout(noticeTimer);
  setText(byId('notice'), text);
  byId('notice').classList.toggle('bad', bad);
  noticeTimer = setTimeout(() => setText(byId('notice'), ''), noticeMs);
}

byId('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const input = byId('token');
  keepToken(input.value.trim());
  input.value = '';
  state('connecting', 'connecting');
  stream.connect();
});
// The address says which page is shown, so the link must not change it.
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('main').focus();
});
byId('retry').addEventListener('click', () => stream.connect());

stream.connect();
