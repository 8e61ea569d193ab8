import { DirectResponse } from '../../../core/exchange/direct-response.js';
import { RequestHead } from '../../../core/http/message.js';
import type { AnswerPlan } from '../../../core/plan.js';
import t from '../../support/tap.js';
import { route } from '../route/support.js';

type Redirect = AnswerPlan & { kind: 'redirect' };

const nobody = { clientAddress: () => '', clientPort: () => 0 };

/** The Location that a redirect gives to a request for `http://a.test:81/x?q`. */
function location(plan: Partial<Redirect>, head: Partial<RequestHead> = {}): string {
  const answer: Redirect = {
    kind: 'redirect',
    status: 301,
    scheme: null,
    host: null,
    port: null,
    path: null,
    ...plan,
  };
  const asked = Object.assign(new RequestHead(), { host: 'a.test:81', target: '/x?q', ...head });
  const { lines } = DirectResponse.of({ ...route({}), answer })!.to(asked, nobody, '');
  return /^location: (.*)\r\n$/.exec(lines)![1];
}

t.test(
  'a redirect keeps of the request what it does not set, and a port only with its scheme and host',
  async (t) => {
    t.equal(location({}), 'http://a.test:81/x?q');
    t.equal(location({ scheme: 'http' }), 'http://a.test:81/x?q', 'the scheme that it has');
    t.equal(location({}, { secure: true }), 'https://a.test:81/x?q');
    t.equal(location({ scheme: 'https' }), 'https://a.test/x?q');
    t.equal(location({ host: 'b.test' }), 'http://b.test/x?q');
    t.equal(location({ port: 8080 }), 'http://a.test:8080/x?q');
    t.equal(location({ port: 80 }), 'http://a.test/x?q');
    t.equal(location({ scheme: 'https', port: 443 }), 'https://a.test/x?q');
    t.equal(location({ scheme: 'https', port: 80 }), 'https://a.test:80/x?q');
    t.equal(location({ path: { kind: 'set', value: '/y' } }), 'http://a.test:81/y?q');
    t.equal(location({ scheme: 'https' }, { host: '[::1]:81' }), 'https://[::1]/x?q');
    t.equal(location({ scheme: 'https' }, { host: '[::1]' }), 'https://[::1]/x?q');
  },
);

t.test('the port of the listener is said where it is not that of the scheme', async (t) => {
  const port = 'listener';
  t.equal(location({ host: 'b.test', port }, { localPort: 8080 }), 'http://b.test:8080/x?q');
  t.equal(location({ host: 'b.test', port }, { localPort: 80 }), 'http://b.test/x?q');
  t.equal(location({ host: 'b.test', port }, { localPort: 443, secure: true }), 'https://b.test/x?q');
  t.equal(location({ host: 'b.test', port }, { localPort: 0 }), 'http://b.test:81/x?q', 'a port of chance');
  t.equal(location({ host: 'b.test', port }, { localPort: 0, host: 'a.test' }), 'http://b.test/x?q');
});

t.test('what a proxy in front has said of the scheme is what the client sees', async (t) => {
  t.equal(location({}, { fields: 'X-Forwarded-Proto: HTTPS\r\n' }), 'https://a.test:81/x?q');
  t.equal(location({}, { fields: 'x-forwarded-proto: gopher\r\n' }), 'http://a.test:81/x?q');
});

t.test('without a path or a host a redirect still leads to this host alone', async (t) => {
  t.equal(location({}, { target: '*', method: 'OPTIONS' }), 'http://a.test:81/');
  t.equal(location({}, { target: '//evil.test/x' }), 'http://a.test:81//evil.test/x');
  t.equal(location({}, { host: '', target: '//evil.test/x' }), '/evil.test/x');
  t.equal(location({ host: 'b.test' }, { host: '' }), 'http://b.test/x?q');
});
