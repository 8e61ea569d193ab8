// Runs over one engine: pairs are made and compared behind the engines.
/** Versions that are worse in one way each, and versions that are equal, side by side behind one umbra. */
import { Agent, request } from 'node:http';
import type { CheckName, MirrorVerdict, Outcome, Verdict } from '../../core/verdict/verdict.js';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { type Answer, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { plain, UmbraProcess } from '../support/umbra.js';

/** Each row has so many requests at least, and they take so long at least, the last of them with pauses. */
const requestsPerRow = 500;
const loadMsMin = 5000;
const pauseMs = 20;
const paceMs = 2;
const connectionsPerRow = 2;
/** Less than a version takes that clients do not wait for. */
const leaveMs = 10;
/** A tenth of the time that the load takes at least. */
const outageMs = loadMsMin / 10;
/** Enough for rows on a machine that is busy; the bounds are those that are usual. */
const words = ['--min-samples', '200', '--output', 'json'];

interface Row {
  readonly name: string;
  readonly v1: Answer;
  readonly v2: Answer;
  readonly mirror?: object;
  /** What is wrong with few of the requests is found in so many of them, at an even pace. */
  readonly requests?: number;
  /** Outcomes that must be, and that must not be. */
  readonly is?: Partial<Record<CheckName, Outcome>>;
  readonly isNot?: Partial<Record<CheckName, Outcome>>;
}

const after = (ms: number, status = 200): Answer => {
  return (_, response) => setTimeout(() => response.writeHead(status).end('ok\n'), ms);
};
/** `other` for one request in `every`, by its number in the target. */
const sometimes = (every: number, other: Answer, usual: Answer = after(0)): Answer => {
  return (received, response, request) => {
    const id = Number(received.target.split('=').at(-1));
    (id % every === 1 ? other : usual)(received, response, request);
  };
};
const byChance = (share: number, other: Answer, usual: Answer = after(0)): Answer => {
  return (received, response, request) =>
    (Math.random() < share ? other : usual)(received, response, request);
};
/** Sends a request and leaves before it is answered. */
function leave(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path });
    call.on('error', () => {});
    call.on('close', resolve);
    call.on('finish', () => setTimeout(() => call.destroy(), leaveMs));
    call.end();
  });
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const text =
  (body: string): Answer =>
  (_, response) =>
    response.end(body);
/** Stalls of its own: every `everyMs` for `forMs`, from another moment on than those of other versions. */
function stalling(everyMs: number, forMs: number, usual: Answer, stalled: Answer): Answer {
  const phaseMs = everyMs * Math.random();
  return (...exchange) => ((performance.now() + phaseMs) % everyMs < forMs ? stalled : usual)(...exchange);
}
/** `factor` times as long as a service whose load makes it up to three times as slow and fast again. */
const drifting =
  (factor: number): Answer =>
  (...exchange) =>
    after(factor * (12 + 6 * Math.sin(performance.now() / 800)))(...exchange);
const never = { errors: 'fail', status: 'fail', differences: 'fail' } as const;

const rows: readonly Row[] = [
  { name: 'equal', v1: after(3), v2: after(3), isNot: { ...never, latency: 'fail', tail: 'fail' } },
  { name: 'equal-and-fast', v1: text('ok'), v2: text('ok'), isNot: { ...never, latency: 'fail' } },
  {
    name: 'slow-beside-slow-routes',
    v1: (received, response, request) =>
      after(received.target.includes('unmirrored') ? 200 : 2)(received, response, request),
    // On a machine that is full the tail may be undecided: umbra's own delay is as large then.
    v2: after(80),
    is: { latency: 'fail' },
    isNot: { tail: 'pass' },
  },
  {
    name: 'stalls-of-their-own',
    v1: stalling(1500, 90, after(5), after(50)),
    v2: stalling(1500, 90, after(5), after(50)),
    isNot: { ...never, latency: 'fail', tail: 'fail' },
  },
  {
    name: 'slower-by-half-while-load-drifts',
    v1: drifting(1),
    v2: drifting(1.5),
    is: { latency: 'fail' },
    isNot: never,
  },
  {
    name: 'slow-for-one-in-ten',
    v1: after(2),
    v2: sometimes(10, after(400), after(2)),
    isNot: { tail: 'pass' },
  },
  {
    name: 'errors',
    v1: after(2),
    v2: sometimes(25, after(2, 500), after(2)),
    is: { errors: 'fail' },
    isNot: { status: 'fail', differences: 'fail' },
  },
  {
    name: 'errors-of-both',
    v1: sometimes(10, after(2, 503), after(2)),
    v2: sometimes(10, after(2, 503), after(2)),
    isNot: never,
  },
  {
    name: 'errors-of-their-own',
    v1: byChance(0.05, after(2, 500), after(2)),
    v2: byChance(0.05, after(2, 500), after(2)),
    isNot: never,
  },
  {
    name: 'another-status',
    v1: after(2),
    v2: sometimes(25, after(2, 404), after(2)),
    is: { status: 'fail' },
    isNot: { errors: 'fail' },
  },
  {
    name: 'another-size',
    v1: text('ok'),
    v2: sometimes(25, text('okay'), text('ok')),
    is: { differences: 'fail' },
  },
  {
    name: 'half-a-percent-differs',
    requests: 2000,
    v1: text('ok'),
    v2: sometimes(200, text('OK'), text('ok')),
    mirror: { compare: { sample: '0%' } },
    is: { differences: 'fail' },
    isNot: { status: 'fail' },
  },
  {
    name: 'half-a-percent-differs-and-one-in-ten-is-taken-apart',
    requests: 2000,
    v1: text('ok'),
    v2: sometimes(200, text('OK'), text('ok')),
    mirror: { compare: { sample: '10%' } },
    isNot: { differences: 'pass' },
  },
  {
    name: 'equal-and-one-in-a-hundred-is-taken-apart',
    v1: text('ok'),
    v2: text('ok'),
    mirror: { compare: { sample: '1%' } },
    isNot: never,
  },
  {
    name: 'breaker-opens',
    v1: after(2),
    v2: (received, response, request) =>
      Number(received.target.split('=').at(-1)) > 200
        ? response.destroy()
        : after(2)(received, response, request),
    mirror: { breaker: { failures: '30%', cooldown: '1s' } },
    is: { errors: 'fail' },
  },
  {
    name: 'not-all-are-sent',
    v1: after(2),
    v2: after(2),
    // So few that a slow machine asks for more, too.
    mirror: { rate: '10/s' },
    is: { coverage: 'undecided' },
    isNot: never,
  },
  { name: 'clients-leave', v1: after(40), v2: after(40), isNot: never },
  {
    name: 'sizes-at-random',
    v1: (_, response) => response.end('x'.repeat(1 + 99 * Math.random())),
    v2: (_, response) => response.end('x'.repeat(1 + 99 * Math.random())),
    isNot: never,
  },
  {
    name: 'in-flight-because-slow',
    v1: after(2),
    v2: after(400),
    mirror: { inFlight: 1 },
    is: { errors: 'fail' },
  },
  {
    name: 'hangs',
    v1: after(2),
    v2: sometimes(25, () => {}, after(2)),
    mirror: { timeout: '200ms' },
    isNot: { errors: 'pass' },
  },
];

t.test(
  'each version that is worse fails the check that it is worse in, and no equal one fails',
  async (t) => {
    const origins: Origin[] = [];
    const open = async (answer: Answer): Promise<Origin> => {
      const origin = await Origin.listen(answer);
      origins.push(origin);
      return origin;
    };
    t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
    const versions: Record<string, unknown> = {};
    const routes: Record<string, unknown>[] = [];
    for (const { name, v1, v2, mirror } of rows) {
      versions[`${name}-1`] = { endpoints: `http://127.0.0.1:${(await open(v1)).port}` };
      versions[`${name}-2`] = { endpoints: `http://127.0.0.1:${(await open(v2)).port}`, ejection: 'off' };
      routes.push(
        {
          name,
          match: { path: { prefix: `/${name}/` } },
          primary: `${name}-1`,
          mirrors: [{ to: `${name}-2`, inFlight: 4096, ...mirror }],
        },
        {
          name: `${name}-unmirrored`,
          match: { path: { prefix: `/${name}-unmirrored` } },
          primary: `${name}-1`,
        },
      );
    }
    // A version that is down for a while: its port is closed and opened again.
    let down = await Origin.listen(after(2));
    t.teardown(() => down.close());
    versions['down-1'] = { endpoints: `http://127.0.0.1:${(await open(after(2))).port}` };
    versions['down-2'] = { endpoints: `http://127.0.0.1:${down.port}` };
    routes.push({ name: 'down', primary: 'down-1', mirrors: [{ to: 'down-2', inFlight: 4096 }] });
    const umbra = await UmbraProcess.start(plain(versions, routes));
    t.teardown(() => umbra.stop());

    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const startMs = performance.now();
    const outage = async (): Promise<void> => {
      const { port } = down;
      await down.untilReceived(requestsPerRow / 4);
      await down.close();
      await pause(outageMs);
      down = await Origin.listen(after(2), port);
    };
    const work = async (name: string, first: number, requests = requestsPerRow): Promise<void> => {
      const isOver = (id: number): boolean => id >= requests && performance.now() > startMs + loadMsMin;
      for (let id = first; !isOver(id); id += connectionsPerRow) {
        if (id % 5 === 0 && name.includes('slow-beside'))
          void ask(umbra.port, { target: `/${name}-unmirrored` });
        const target = `/${name}/?id=${id}`;
        if (name === 'clients-leave' && id % 5 === 0) await leave(umbra.port, target);
        else await ask(umbra.port, { agent, target });
        if (id >= requests) await pause(pauseMs);
        else if (requests > requestsPerRow) await pause(paceMs);
      }
    };
    const all: readonly Pick<Row, 'name' | 'requests'>[] = [...rows, { name: 'down' }];
    await Promise.all([
      outage(),
      ...all.flatMap(({ name, requests }) =>
        Array.from({ length: connectionsPerRow }, (_, first) => work(name, first, requests)),
      ),
    ]);
    await umbra.atRest();
    const { out, err } = await runHere('verdict', '--admin', umbra.adminUrl, ...words);
    t.equal(err, '');
    const verdict = JSON.parse(out) as Verdict;
    const of = (name: string): MirrorVerdict => verdict.mirrors.find(({ route }) => route === name)!;
    const show = (name: string): string =>
      of(name)
        .checks.map(({ name, outcome, text }) => `${name} ${outcome}: ${text}`)
        .join('\n');
    for (const { name, is = {}, isNot = {} } of rows) {
      for (const check of of(name).checks) {
        const [wanted, unwanted] = [is[check.name], isNot[check.name]];
        if (wanted !== undefined) t.equal(check.outcome, wanted, `${name}: ${show(name)}`);
        if (unwanted !== undefined) t.not(check.outcome, unwanted, `${name}: ${show(name)}`);
      }
    }
    t.equal(of('down').checks[0].outcome, 'fail', show('down'));
    t.match(of('down').checks[0].text, /\([\d ]+ while it was down\)/);
    t.match(of('not-all-are-sent').checks.at(-1)!.text, /not sent: [\d ]+ rate/);
    t.notMatch(out, /NaN/);
  },
);
