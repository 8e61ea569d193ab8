/** The live page: one stream of snapshots in, everything on the page out of it. */
import { keepToken, send, token } from './api.js';
import { Differences } from './differences.js';
import { byId, el, segments, setText } from './dom.js';
import { Endpoints } from './endpoints.js';
import { Flow } from './flow.js';
import { bytes, clock, count, span } from './format.js';
import { LatencyCharts } from './latency.js';
import { Mirrors } from './mirrors.js';
import { Model } from './model.js';
import { Poll } from './poll.js';
import { Stream } from './stream.js';
import { Threads } from './threads.js';
import { Versions } from './versions.js';

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

const model = new Model();
const flow = new Flow(byId('flow'), model);
const charts = new LatencyCharts(byId('by-percentile'), byId('over-time'), model);
const mirrors = new Mirrors(byId('mirrors'));
const versions = new Versions(byId('versions'), model);
const poll = new Poll({
  'api/endpoints': new Endpoints(byId('endpoints')),
  'api/diffs?sets=no': new Differences(byId('differences')),
});
const threads = new Threads(byId('threads'));

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
    event(name, data) {
      if (name === 'history') model.addHistory(data);
      else if (name === 'snapshot') show(data);
      else if (name === 'end') state('ended', 'umbra has stopped');
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
  showFacts(snapshot);
  showKill(snapshot);
  flow.draw();
  charts.draw();
  mirrors.update(snapshot);
  versions.draw();
  threads.update(snapshot);
}

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

function showKill({ live, stats }) {
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
byId('retry').addEventListener('click', () => stream.connect());

stream.connect();
