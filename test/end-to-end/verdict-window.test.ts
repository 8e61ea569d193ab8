// Runs over one engine: pairs are made and compared behind the engines.
/** A window that a verdict watches, in which the control thread is replaced. */
import { Agent } from 'node:http';
import type { Diffs } from '../../core/compare/diff-book.js';
import { defaultBounds, type Verdict } from '../../core/verdict/verdict.js';
import { verdictCommand } from '../../workers/commands/verdict.js';
import { ask } from '../support/client.js';
import { Origin } from '../support/origin.js';
import { refusedPort } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const connections = 4;
const forMs = 3000;
/** A client waits so long after an answer. */
const pauseMs = 5;

t.test(
  'a window in which the control thread is replaced is watched on, and its differences are undecided',
  async (t) => {
    const origins = await Promise.all(
      [1, 1].map((price) =>
        Origin.listen((_, response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ price, id: Math.random() }));
        }),
      ),
    );
    t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
    const admin = { address: `127.0.0.1:${await refusedPort()}` };
    const mirror = { inFlight: 4096, compare: { sample: '100%', baseline: 'v1' } };
    const [v1, v2] = origins.map(({ port }) => port);
    const umbra = await UmbraProcess.startBreakable(reviews(v1, v2, { mirror, umbra: { admin } }));
    t.teardown(() => umbra.stop());
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    let over = false;
    const work = async (): Promise<void> => {
      while (!over) {
        await ask(umbra.port, { agent, target: '/reviews' });
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    };
    const load = Promise.all(Array.from({ length: connections }, work));
    const compared = async (): Promise<number> =>
      ((await umbra.admin('GET', '/api/diffs')).json as Diffs).mirrors[0]?.compared ?? 0;
    await until(async () => (await compared()) > 200, 'pairs are compared before the window');
    const said = { out: '', err: '' };
    const io = {
      out: (line: string) => {
        said.out += line;
      },
      err: (line: string) => {
        said.err += line;
      },
    };
    const options = { ...defaultBounds, samplesMin: 100, forMs, output: 'json' as const };
    const place = { admin: umbra.adminUrl, token: null };
    // Within this process, so that it is known when it begins to watch.
    const verdict = verdictCommand(
      { ...options, ...place, untilDecided: false, atMostMs: forMs, plan: false },
      io,
    );
    await until(() => said.err.includes('watching'), 'the window begins');
    const before = await compared();
    await until(async () => (await compared()) > before + 50, 'the window has begun');
    await umbra.makeThrow('control');
    const code = await verdict;
    const { out, err } = said;
    over = true;
    await load;
    t.not(code, 4, err);
    const [{ checks }] = (JSON.parse(out) as Verdict).mirrors;
    t.match(
      checks.find(({ name }) => name === 'differences'),
      { outcome: 'undecided', why: 'overflow', text: /restart/ },
    );
    t.match(
      checks.find(({ name }) => name === 'errors'),
      { measured: 0 },
      'what threads count in shared memory continues',
    );
    t.notMatch(out, /NaN|null,\s*"high"/);
  },
);
