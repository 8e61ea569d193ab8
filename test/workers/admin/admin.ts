/**
 * An admin server on a free port of 127.0.0.1, with what it asked of the process, and plain requests to it.
 */
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { DocumentChange } from '../../../config/documents/change.js';
import { DiffBook } from '../../../core/compare/diff-book.js';
import { noLiveState } from '../../../core/live/live-state.js';
import type { Address } from '../../../core/plan.js';
import { noControlCounts } from '../../../core/report/control-counts.js';
import { read } from '../../../core/report/reading.js';
import type { Verdict } from '../../../core/verdict/verdict.js';
import { createAdminApp } from '../../../workers/admin/app.js';
import type { AdminDeps } from '../../../workers/admin/deps.js';
import { AdminFigures } from '../../../workers/admin/figures.js';
import { LiveFeed } from '../../../workers/admin/live-feed.js';
import { serveAdmin } from '../../../workers/admin/server.js';
import { statusOf } from '../../../workers/admin/status-body.js';
import type { LiveAsk } from '../../../workers/protocol/live-change.js';
import { sample } from '../../core/report/sample.js';
import type { Test } from '../../support/tap.js';

export const LOOPBACK: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };

export interface Asked {
  readonly changes: LiveAsk[];
  readonly configs: string[];
  readonly documents: { change: DocumentChange; dryRun: boolean }[];
  readonly errors: object[];
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: unknown;
}

export interface Admin {
  readonly url: string;
  readonly port: number;
  readonly asked: Asked;
  readonly feed: LiveFeed;
  readonly figures: AdminFigures;
  /** Method and path of each route. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  send(method: string, path: string, options?: Send): Promise<Answer>;
}

export interface Send {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** No pairs were kept, so nothing is judged. */
export const noVerdict = {
  pairs: { blocksOf: () => [], endpointsOf: () => [] },
  verdict: (): Verdict => ({ outcome: 'undecided', looks: 'repeated', mirrors: [] }),
  rollouts: (): ReturnType<AdminDeps['rollouts']> => ({
    all: [],
    of: () => undefined,
    start: () => Promise.resolve({ status: 404, message: 'no rollouts here' }),
    command: () => Promise.resolve({ status: 404, message: 'no rollouts here' }),
  }),
  rolloutHooks: () => ({ ok: 0, failed: 0, refused: 0 }),
  rolloutReports: () => null,
  wallMs: () => 0,
};

export async function startAdmin(t: Test, options: Partial<AdminDeps> = {}): Promise<Admin> {
  const asked: Asked = { changes: [], configs: [], documents: [], errors: [] };
  const { observed } = sample();
  const figures = new AdminFigures();
  const feed = new LiveFeed({ observe: () => observed, ready: () => true, ...noVerdict }, figures);
  // Ticks come when a test makes them, however soon.
  feed.nowMs = () => 0;
  const app = createAdminApp({
    address: LOOPBACK,
    token: null,
    figures,
    feed,
    log: { info() {}, warn() {}, error: (fields) => asked.errors.push(fields) },
    observe: () => observed,
    controlCounts: () => noControlCounts,
    ready: () => true,
    ...noVerdict,
    diffs: () => new DiffBook().read(),
    effectiveConfig: () => ({ listen: [] }),
    status: () => {
      const reading = read(observed, 0);
      const live = { state: noLiveState, keptIn: null, problem: null, revision: 0, unshared: 0 };
      const { plan } = observed;
      const about = { ready: true, fleet: null, rollouts: [], heldSinceMs: () => 0 };
      return statusOf({ plan, reading, live, ...about });
    },
    changeLive: async (ask) => {
      asked.changes.push(ask);
      return { ok: true, generation: 4 };
    },
    replaceConfig: async (text) => {
      asked.configs.push(text);
      return { ok: true, generation: 5 };
    },
    changeDocuments: async (change, dryRun) => {
      asked.documents.push({ change, dryRun });
      return { ok: true, generation: 6, documents: { told: ['a created'], warnings: [], yaml: null } };
    },
    ...options,
  });
  const server = await serveAdmin(() => app, options.address ?? LOOPBACK);
  t.teardown(() => {
    feed.close();
    return server.close();
  });
  const socketPath = options.address?.kind === 'unix' ? options.address.path : undefined;
  const to = socketPath === undefined ? { host: '127.0.0.1', port: server.port } : { socketPath };
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port,
    asked,
    feed,
    figures,
    routes: app.routes,
    send: (method, path, send = {}) => exchange(to, method, path, send),
  };
}

export const JSON_BODY = { 'content-type': 'application/json' };

async function exchange(
  to: { host: string; port: number } | { socketPath: string },
  method: string,
  path: string,
  { headers = {}, body }: Send,
): Promise<Answer> {
  const sent = request({ ...to, method, path, headers, agent: false });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response) text += piece;
  const isJson = (response.headers['content-type'] ?? '').startsWith('application/json') && text !== '';
  return {
    status: response.statusCode,
    headers: response.headers,
    body: text,
    json: isJson ? JSON.parse(text) : null,
  };
}
