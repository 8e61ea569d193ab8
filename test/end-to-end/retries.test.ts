// Runs over one engine: requests are sent again behind the engines.
import { ask, RawClient } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { freePort } from '../support/ports.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

/** What v1 does with the first, second, … request to a path. */
const scripts: Record<string, (number | 'reset' | 'partial' | 'silent')[]> = {
  '/unable': [503, 503, 200],
  '/spent': [503, 503, 503, 503],
  '/body': [503, 200],
  '/chunks': [503, 200],
  '/large': [503, 200],
  '/reset': ['reset', 200],
  '/partial': ['partial', 200],
  '/slow': ['silent', 200],
  '/head': [503, 200],
  '/other': [500],
  '/connect-only': ['partial', 200],
  '/never': ['silent', 'silent', 'silent', 'silent', 'silent', 'silent'],
  '/gone': ['silent', 'silent', 'silent', 'silent', 'silent', 'silent'],
};

t.test(
  'a request is sent again as its route says, whole and to the primary alone, and never otherwise',
  async (t) => {
    const seen = new Map<string, number>();
    const v1 = await Origin.listen(({ target }, response, request) => {
      const count = seen.get(target) ?? 0;
      seen.set(target, count + 1);
      const step = scripts[target]?.[count] ?? 200;
      if (step === 'silent') return;
      if (step === 'reset') request.socket.resetAndDestroy();
      else if (step === 'partial') request.socket.write('HTTP/1.1 2', () => request.socket.resetAndDestroy());
      else {
        response.statusCode = step;
        response.setHeader('x-attempt', count + 1);
        response.end(`attempt ${count + 1}`);
      }
    });
    const v2 = await Origin.listen();
    t.teardown(() => Promise.all([v1.close(), v2.close()]));
    // Long enough for what answers at once on a busy machine; one attempt waits for it.
    const retries = { attempts: 2, perTryTimeout: '1500ms', on: ['reset', 503] };
    const config = reviews(v1.port, v2.port, {
      v1: { ejection: 'off' },
      route: { retries },
      umbra: { accessLog: { format: 'json' } },
    });
    config.versions.nobody = { endpoints: `http://127.0.0.1:${await freePort()}`, ejection: 'off' };
    const unable = await Origin.listen((_received, response) => {
      response.statusCode = 503;
      response.end();
    });
    const able = await Origin.listen();
    t.teardown(() => Promise.all([unable.close(), able.close()]));
    const endpoints = [unable, able].map(({ port }) => `http://127.0.0.1:${port}`);
    config.versions.two = { endpoints, ejection: 'off' };
    config.routes.unshift(
      {
        name: 'two',
        match: { path: { exact: '/two' } },
        primary: 'two',
        retries: { attempts: 1, on: [503] },
      },
      {
        name: 'connect-only',
        match: { path: { exact: '/connect-only' } },
        primary: 'v1',
        retries: { on: ['connect'] },
      },
      { name: 'nobody', match: { path: { exact: '/nobody' } }, primary: 'nobody', retries: { attempts: 3 } },
      {
        name: 'bounded',
        match: { path: { exact: '/never' } },
        primary: 'v1',
        timeout: '400ms',
        retries: { attempts: 16, perTryTimeout: '150ms', on: ['5xx'] },
      },
    );
    const umbra = await UmbraProcess.start(config);
    t.teardown(() => umbra.stop());
    const answerTo = async (asked: Parameters<typeof ask>[1]) => {
      const { status, body } = await ask(umbra.port, asked);
      return `${status} ${body}`.trim();
    };
    const body = Buffer.alloc(50_000, 'b');
    t.equal(await answerTo({ target: '/unable' }), '200 attempt 3');
    t.equal(await answerTo({ target: '/spent' }), '503 attempt 3', 'the last answer is passed on');
    t.equal(await answerTo({ method: 'POST', target: '/body', body }), '200 attempt 2');
    t.equal(await answerTo({ method: 'POST', target: '/chunks', body, chunkBytes: 9000 }), '200 attempt 2');
    t.equal(
      await answerTo({ method: 'POST', target: '/large', body: Buffer.alloc(70_000, 'c') }),
      '503 attempt 1',
    );
    t.equal(await answerTo({ method: 'POST', target: '/reset', body: Buffer.from('x') }), '200 attempt 2');
    t.equal(await answerTo({ target: '/partial' }), '200 attempt 2');
    t.equal(await answerTo({ target: '/slow' }), '200 attempt 2');
    t.equal(await answerTo({ method: 'HEAD', target: '/head' }), '200');
    t.equal(await answerTo({ target: '/other' }), '500 attempt 1', 'a status that is not asked for');
    const once = await answerTo({ method: 'POST', target: '/connect-only', body: Buffer.from('x') });
    t.match(once, /^502 /, 'what may have been worked on is not sent again unless that is asked for');
    t.match(await answerTo({ target: '/nobody' }), /^502 /);
    t.match(await answerTo({ target: '/never' }), /^504 /, 'the timeout of the route is for all attempts');

    for (let i = 0; i < 6; i++)
      t.equal(await answerTo({ target: '/two' }), '200 ok', 'the next endpoint answers');

    const gone = await RawClient.connect(umbra.port);
    gone.send('GET /gone HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => seen.get('/gone') === 1, 'the request that will be given up is at v1');
    gone.socket.resetAndDestroy();

    const stats = await lawHolds(t, umbra);
    const attempts = (target: string) => v1.received.filter((received) => received.target === target);
    t.equal(attempts('/connect-only').length, 1);
    t.ok(
      attempts('/never').length >= 2 && attempts('/never').length <= 3,
      `${attempts('/never').length} attempts in 400 ms`,
    );
    t.equal(attempts('/gone').length, 1, 'nothing is sent again for a client that is gone');
    for (const target of ['/body', '/chunks']) {
      const [first, second] = attempts(target);
      t.strictSame({ ...second, fields: null }, { ...first, fields: null }, target);
    }
    t.equal(mirrorTo(stats, 'v2').eligible, 11, 'a request is offered once, however often it was sent');
    t.equal(mirrorTo(stats, 'v2').completed, 11);
    const metrics = await umbra.metrics();
    t.match(metrics, /^umbra_upstream_retries_total\{version="nobody",role="primary"\} 3$/m);
    t.match(metrics, /^umbra_upstream_retries_exhausted_total\{version="nobody",role="primary"\} 1$/m);
    t.match(
      metrics,
      /^umbra_upstream_failures_total\{version="nobody",role="primary",reason="connect"\} 1$/m,
    );
    const line = (path: string) =>
      until(
        () =>
          umbra.out
            .split('\n')
            .find((text) => text.includes(`"path":"${path}"`) && text.includes('"primary"')),
        `a line for ${path}`,
      ).then((text) => JSON.parse(text));
    t.match(await line('/spent'), { status: 503, flags: 'URX' });
    t.match(await line('/nobody'), { status: 502, flags: 'UF,URX' });
    t.match(await line('/unable'), { status: 200, flags: null });
    t.match(await line('/large'), { status: 503, flags: null });
  },
);
