/**
 * Requests through two umbras into one stream, and from there by three shadows to v2, while one shadow is
 * killed and comes back and the server is restarted. At its end what was published must be acknowledged or a
 * counted loss, exactly, and v2 must have seen each request that was acknowledged.
 */
import type { MirrorStats, Stats } from '../../core/report/stats.js';
import { askMany } from '../support/client.js';
import { mirrorTo } from '../support/law.js';
import { NatsServer } from '../support/nats.js';
import { answerOk, Origin } from '../support/origin.js';
import { ShadowProcess } from '../support/shadow.js';
import { reviews, sum, twoProxies, UmbraProcess } from '../support/umbra.js';

export interface StreamSoakOptions {
  /** Over all instances. */
  readonly requests: number;
  /** Receives a line for each action. */
  readonly log: (line: string) => void;
}

export interface StreamSoakResult {
  readonly requests: number;
  /** Counters of both instances at rest; the law must hold for each. */
  readonly stats: readonly Stats[];
  readonly mirrors: readonly MirrorStats[];
  readonly acknowledged: number;
  /** Dropped, and failed after they were published. */
  readonly lost: number;
  /** Different requests that v2 was asked, and how often it was asked in all. */
  readonly reached: number;
  readonly deliveries: number;
  /** Answers of the primary that were not 200. */
  readonly clientErrors: number;
  /** Exit codes of the shadows. */
  readonly codes: readonly (number | null)[];
  readonly messagesLeft: number;
}

const subject = 'umbra.soak';
const stream = 'umbra-soak';
const instances = 2;
const shadows = 3;
const connections = 16;
/** Asked for at a time by each instance's clients. */
const batch = 1000;
/** The whole may take so long after the last request. */
const restMs = 120_000;
const pollMs = 20;

export async function streamSoak({ requests, log }: StreamSoakOptions): Promise<StreamSoakResult> {
  const nats = await NatsServer.start();
  const v1 = await Origin.listen((_received, response) => {
    v1.received.length = 0;
    answerOk(_received, response, undefined as never);
  });
  const seen = new Set<string>();
  let deliveries = 0;
  const v2 = await Origin.listen((received, response) => {
    v2.received.length = 0;
    seen.add(received.target);
    deliveries++;
    answerOk(received, response, undefined as never);
  });
  const umbras: UmbraProcess[] = [];
  const running: ShadowProcess[] = [];
  try {
    const route = { mirrors: [{ to: nats.stream(subject) }] };
    for (let i = 0; i < instances; i++)
      umbras.push(
        await UmbraProcess.start(reviews(v1.port, null, { route, umbra: { threads: twoProxies } })),
      );
    const words = ['--no-fleet', '--timeout', '2s', '--ack-wait', '4s'];
    const start = () => ShadowProcess.start(nats.stream(subject), `http://127.0.0.1:${v2.port}`, ...words);
    for (let i = 0; i < shadows; i++) running.push(await start());
    const reached = async (count: number): Promise<void> => {
      while (seen.size < count) await new Promise((resolve) => setTimeout(resolve, pollMs));
    };
    let clientErrors = 0;
    const asking = Promise.all(
      umbras.map(async ({ port }, instance) => {
        const each = Math.floor(requests / instances);
        for (let from = 0; from < each; from += batch) {
          const answers = await askMany(port, Math.min(batch, each - from), connections, (i) => ({
            target: `/${instance}/${from + i}`,
          }));
          clientErrors += answers.filter(({ status }) => status !== 200).length;
        }
      }),
    );
    await reached(requests / 4);
    log(`${seen.size} requests have reached v2: a shadow is killed`);
    running[0].signal('SIGKILL');
    await running[0].ended;
    await reached(requests / 2.5);
    log(`${seen.size} requests have reached v2: the server is restarted, and the shadow comes back`);
    await nats.restart();
    running[0] = await start();
    await asking;
    const stats = await Promise.all(umbras.map((umbra) => umbra.atRest()));
    const mirrors = stats.map((one) => mirrorTo(one, nats.stream(subject)));
    log('all is asked; what is in the stream is waited for');
    const left = () => nats.with(async ({ streams }) => (await streams.info(stream)).state.messages);
    let messagesLeft = await left();
    const end = performance.now() + restMs;
    while (messagesLeft > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      messagesLeft = await left();
    }
    const codes = await Promise.all(running.map((one) => one.stop()));
    return {
      requests: instances * Math.floor(requests / instances),
      stats,
      mirrors,
      acknowledged: mirrors.reduce((all, { completed }) => all + completed, 0),
      lost: mirrors.reduce((all, { dropped, failed }) => all + sum(dropped) + sum(failed), 0),
      reached: seen.size,
      deliveries,
      clientErrors,
      codes,
      messagesLeft,
    };
  } finally {
    for (const one of running) one.signal('SIGKILL');
    await Promise.all(umbras.map((umbra) => umbra.stop()));
    await Promise.all([v1.close(), v2.close()]);
    await nats.stop();
  }
}

/** What is wrong, a line each. */
export function streamVerdict(result: StreamSoakResult): string[] {
  const { requests, mirrors, acknowledged, lost, reached, clientErrors, codes, messagesLeft } = result;
  const problems: string[] = [];
  const expect = (is: boolean, what: string): void => void (is || problems.push(what));
  for (const { eligible, sent, completed, dropped, failed, inFlight } of mirrors) {
    expect(
      eligible === sent + sum(dropped),
      `eligible ${eligible} is not sent ${sent} + dropped ${sum(dropped)}`,
    );
    expect(
      sent === completed + sum(failed) && inFlight === 0,
      `sent ${sent} is not completed ${completed} + failed ${sum(failed)}, with ${inFlight} in flight`,
    );
  }
  expect(acknowledged + lost === requests, `${acknowledged} acknowledged + ${lost} lost is not ${requests}`);
  expect(reached >= acknowledged, `${reached} reached v2, of ${acknowledged} acknowledged`);
  expect(clientErrors === 0, `${clientErrors} clients were not answered with 200`);
  expect(messagesLeft === 0, `${messagesLeft} messages are left in the stream`);
  expect(
    codes.every((code) => code === 0),
    `shadows ended with ${codes.join(', ')}`,
  );
  return problems;
}
