// Runs over both engines.
import { ask, RawClient } from '../support/client.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

t.test('a route with redirect or respond answers by itself, and asks nobody', async (t) => {
  const v1 = await Origin.listen();
  t.teardown(() => v1.close());
  const config = reviews(v1.port, null, { umbra: { accessLog: { format: 'json' } } });
  config.routes.unshift(
    {
      name: 'old',
      match: { path: { prefix: '/old' } },
      redirect: { status: 308, path: { prefix: '/old', to: '/new' } },
    },
    { name: 'secure', match: { path: { exact: '/secure' } }, redirect: { scheme: 'https' } },
    {
      name: 'port',
      match: { path: { exact: '/port' } },
      redirect: { scheme: 'https', port: 8443, host: 'b.example.com' },
    },
    {
      name: 'usual',
      match: { path: { exact: '/usual' } },
      redirect: { scheme: 'http', port: 80, path: '/' },
    },
    {
      name: 'robots',
      match: { path: { exact: '/robots.txt' } },
      respond: { body: 'Disallow: /\n', headers: { 'cache-control': 'max-age=60' } },
      headers: { response: { set: { 'x-by': 'umbra' } } },
    },
    {
      name: 'json',
      match: { path: { exact: '/json' } },
      respond: { status: 418, body: '{}', headers: { 'content-type': 'application/json' } },
    },
    { name: 'empty', match: { path: { exact: '/empty' } }, respond: { status: 204 } },
    {
      name: 'grows',
      match: { path: { prefix: '/grows' } },
      redirect: { path: { regex: 'a', to: 'b'.repeat(1000) } },
    },
  );
  const umbra = await UmbraProcess.start(config);
  t.teardown(() => umbra.stop());
  const location = async (target: string, headers = {}) => {
    const { status, fields } = await ask(umbra.port, {
      target,
      headers: { host: 'a.example.com:8080', ...headers },
    });
    return [status, fields.find(([name]) => name === 'location')?.[1]];
  };
  t.strictSame(await location('/old/a?b=/old'), [308, 'http://a.example.com:8080/new/a?b=/old']);
  t.strictSame(await location('/secure?a'), [301, 'https://a.example.com/secure?a']);
  t.strictSame(await location('/port'), [301, 'https://b.example.com:8443/port']);
  t.strictSame(await location('/usual'), [301, 'http://a.example.com/']);
  t.strictSame(
    await location('/secure', { 'x-forwarded-proto': 'https' }),
    [301, 'https://a.example.com:8080/secure'],
    'a proxy in front has said what the client sees',
  );
  t.strictSame(await location(`/grows/${'a'.repeat(20)}`), [414, undefined]);

  const robots = await ask(umbra.port, { target: '/robots.txt' });
  t.equal(robots.body.toString(), 'Disallow: /\n');
  t.match(Object.fromEntries(robots.fields), {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': '12',
    'cache-control': 'max-age=60',
    'x-by': 'umbra',
  });
  const head = await ask(umbra.port, { method: 'HEAD', target: '/robots.txt' });
  t.equal(head.body.length, 0);
  t.match(Object.fromEntries(head.fields), { 'content-length': '12' });
  const json = await ask(umbra.port, { target: '/json' });
  t.match(json, { status: 418 });
  t.strictSame(
    json.fields.filter(([name]) => name === 'content-type'),
    [['content-type', 'application/json']],
  );
  const empty = await ask(umbra.port, { target: '/empty' });
  t.equal(empty.status, 204);
  t.notOk(
    empty.fields.some(([name]) => name === 'content-length'),
    'a 204 has no length',
  );

  t.equal(v1.received.length, 0);
  t.match(await umbra.metrics(), /^umbra_downstream_answered_total\{.*/m);
  const line = await until(
    () => umbra.out.split('\n').find((text) => text.includes('"/robots.txt"')),
    'the access log has a line',
  );
  t.match(JSON.parse(line), {
    route: 'robots',
    version: '',
    status: 200,
    flags: null,
    responseBytes: 12,
    upstream: null,
  });
});

t.test(
  'the connection continues after such an answer, also behind a whole body, and ends where a body is still to come',
  async (t) => {
    const v1 = await Origin.listen();
    t.teardown(() => v1.close());
    const umbra = await UmbraProcess.start(
      reviews(v1.port, null, { route: { primary: undefined, respond: { body: 'no\n' } } }),
    );
    t.teardown(() => umbra.stop());
    const client = await RawClient.connect(umbra.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
    await client.until('no\n');
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/no\n.*no\n/s);
    t.notMatch(client.received, /connection: close/i);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbody');
    await client.end();
    t.match(client.received, /no\n.*no\n.*no\n(\r\n0\r\n\r\n)?$/s);
  },
);
