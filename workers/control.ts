/**
 * The control thread: serves the admin API from shared memory and writes the access log. It asks main for
 * changes and never speaks to the data plane; the data plane never waits for it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { effectiveConfig } from '../config/effective.js';
import { createAdminApp, serveAdmin, type AdminServer } from './admin/app.js';
import { AccessLogFile } from './access-log-file.js';
import type { ChangeAnswer, ChangeAsk, ControlStart, FromControl, LogMessage, ToControl } from './messages.js';
import { Observation } from './observation.js';

const start = workerData as ControlStart;
const observation = new Observation(start.observed);
const asks = new Map<number, (answer: ChangeAnswer) => void>();
let lastAsk = 0;
let ready = false;
let server: AdminServer | null = null;

const accessLog = new AccessLogFile(start.logRings, start.logDoorbell, (message) => log('error', message));
accessLog.follow(observation.plan.accessLog);

parentPort!.on('message', (message: ToControl) => {
  switch (message.type) {
    case 'observe':
      observation.follow(message.observed);
      accessLog.follow(observation.plan.accessLog);
      say({ type: 'observing', generation: observation.plan.generation });
      return;
    case 'ready':
      ready = message.ready;
      return;
    case 'answer':
      asks.get(message.id)?.(message.answer);
      asks.delete(message.id);
      return;
    case 'leave':
      void leave();
      return;
  }
});

await listen();

async function listen(): Promise<void> {
  const { admin } = observation.plan;
  if (admin === null) {
    say({ type: 'listening', address: null });
    return;
  }
  const app = createAdminApp({
    observe: () => observation.read(),
    ready: () => ready,
    effectiveConfig: () => effectiveConfig(observation.plan),
    changeMirror: (route, version, change) =>
      ask({ what: 'mirror', route, version, percent: change.percent ?? null, enabled: change.enabled ?? null }),
    replaceConfig: (text) => ask({ what: 'config', text }),
    token: admin.token,
    address: admin.address,
    log: (message) => log('warn', message),
  });
  try {
    server = await serveAdmin(app, admin.address);
    say({ type: 'listening', address: server.url });
  } catch (error) {
    say({ type: 'refused', message: error instanceof Error ? error.message : String(error) });
    await leave();
  }
}

function ask(change: ChangeAsk): Promise<ChangeAnswer> {
  const id = ++lastAsk;
  return new Promise((resolve) => {
    asks.set(id, resolve);
    say({ type: 'ask', id, ask: change });
  });
}

async function leave(): Promise<void> {
  await server?.close();
  await accessLog.close();
  process.exit(0);
}

function say(message: FromControl): void {
  parentPort!.postMessage(message);
}

function log(level: LogMessage['level'], message: string): void {
  say({ type: 'log', level, message, fields: {} });
}
