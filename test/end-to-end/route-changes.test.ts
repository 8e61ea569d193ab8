// Runs over both engines.
import { ask } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

t.test(
  'the primary gets the changes of its route and version, the copy is taken before them, and the client gets those of the response',
  async (t) => {
    const v1 = await Origin.listen((received, response) => {
      response.writeHead(received.target === '/large' ? 201 : 200, {
        server: 'v1',
        'x-kept': 'a',
        'x-twice': ['1', '2'],
        // With what is added it is more than one head may be.
        ...(received.target.startsWith('/huge') ? { 'x-huge': 'h'.repeat(65_000) } : {}),
      });
      response.end('body of v1');
    });
    const v2 = await Origin.listen();
    t.teardown(() => Promise.all([v1.close(), v2.close()]));
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: {
          host: 'preserve',
          compare: { headers: ['server'] },
          headers: { add: { 'x-copy-of': '%REQ(:path)% %ROUTE_NAME% %UPSTREAM_CLUSTER%' } },
        },
        route: {
          match: { path: { prefix: '/shop' } },
          rewrite: { path: { prefix: '/shop', to: '/' }, host: 'shop.internal' },
          headers: {
            request: { set: { 'x-from': 'route' }, remove: ['x-debug'] },
            response: { remove: ['server'], add: { 'x-twice': '3' } },
          },
          versionHeaders: {
            v1: {
              request: { set: { 'x-from': 'version', 'x-version': '1' } },
              response: { set: { 'x-answered-by': 'v1' }, add: { 'x-padding': 'p'.repeat(1000) } },
            },
          },
        },
      }),
    );
    t.teardown(() => umbra.stop());
    const headers = { 'x-debug': 'on', 'x-own': 'client' };
    const answer = await ask(umbra.port, {
      method: 'POST',
      target: '/shop/cart?a=/shop',
      headers,
      body: Buffer.from('x'),
    });
    const value = (name: string) => answer.fields.filter(([field]) => field === name).map(([, text]) => text);
    t.equal(answer.status, 200);
    t.equal(answer.body.toString(), 'body of v1');
    t.strictSame(value('server'), []);
    t.strictSame(value('x-kept'), ['a']);
    t.strictSame(value('x-twice'), ['1', '2', '3']);
    t.strictSame(value('x-answered-by'), ['v1']);

    const head = await ask(umbra.port, { method: 'HEAD', target: '/shop/large' });
    t.match(head, { status: 201 });
    t.equal(head.body.length, 0);
    t.equal((await ask(umbra.port, { target: '/shop/huge' })).status, 502, 'a head that grows too large');

    await lawHolds(t, umbra);
    const told = (origin: Origin) => {
      const [received] = origin.received;
      const names = ['host', 'x-from', 'x-version', 'x-debug', 'x-own', 'x-copy-of'];
      return [received.target, ...names.map((name) => fieldOf(received, name))];
    };
    t.strictSame(told(v1), ['/cart?a=/shop', 'shop.internal', 'version', '1', null, 'client', null]);
    t.strictSame(told(v2), [
      '/shop/cart?a=/shop',
      'reviews.example.com',
      null,
      null,
      'on',
      'client',
      '/shop/cart?a=/shop reviews v2',
    ]);
  },
);
