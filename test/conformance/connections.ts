import { both, type Section } from './case.js';

const host = 'host: h\r\n';
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-origin: 1\r\n';

export const connections: Section = {
  name: 'connections',
  cases: [
    {
      what: 'A client that asks for `close`',
      rfc: '9112 9.6',
      asks: 'close after the response',
      sends: `GET / HTTP/1.1\r\n${host}connection: close\r\n\r\n`,
      ...both('forwarded', { arrives: /^(?![\s\S]*connection)/i }),
    },
    {
      what: 'A client that asks for `close` beside another option',
      rfc: '9112 9.6',
      asks: 'close after the response',
      sends: `GET / HTTP/1.1\r\n${host}connection: close, foo\r\nfoo: 1\r\n\r\n`,
      ...both('forwarded, closed', {
        arrives: /^(?![\s\S]*(connection|foo))/i,
        comes: /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/i,
      }),
    },
    {
      what: 'A client that asks for `CLOSE` behind another option',
      rfc: '9110 7.6.1, 9112 9.6',
      asks: 'close after the response',
      sends: `POST / HTTP/1.1\r\n${host}connection: foo, CLOSE\r\ncontent-length: 2\r\n\r\nok`,
      ...both('forwarded, closed', { arrives: /^(?![\s\S]*connection)/i }),
    },
    {
      what: 'HTTP/1.0',
      rfc: '9110 2.5, 9112 9.3',
      asks: 'answer it, and close',
      sends: `GET / HTTP/1.0\r\n${host}\r\n`,
      uws: { verdict: 'answered 505, closed' },
      node: {
        verdict: 'forwarded, closed',
        arrives: /^GET \/ HTTP\/1\.1\r\n/,
        comes: /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/i,
      },
    },
    {
      what: 'HTTP/1.0 without Host',
      rfc: '9112 3.2',
      asks: 'forward it as HTTP/1.1, with a Host',
      sends: 'GET / HTTP/1.0\r\n\r\n',
      uws: { verdict: 'answered 505, closed', arrives: null },
      node: {
        verdict: 'forwarded, closed',
        arrives: /^GET \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/,
        note: 'with the authority of the first endpoint',
      },
    },
    {
      what: 'HTTP/1.0 that asks for keep-alive',
      rfc: '9112 9.3',
      asks: 'may be kept',
      sends: `GET / HTTP/1.0\r\n${host}connection: keep-alive\r\n\r\n`,
      uws: { verdict: 'answered 505, closed' },
      node: { verdict: 'forwarded', comes: /connection: keep-alive\r\n/i },
    },
    {
      what: 'HTTP/1.0 and a response in chunks',
      rfc: '9112 6.1',
      asks: 'no chunks for it',
      sends: `GET / HTTP/1.0\r\n${host}\r\n`,
      answers: 'HTTP/1.1 200 OK\r\nx-origin: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      uws: { verdict: 'answered 505, closed' },
      node: { verdict: 'forwarded, closed', comes: /^(?![\s\S]*chunked)[\s\S]*\r\n\r\nok$/i },
    },
    {
      what: 'A second request before the first is answered',
      rfc: '9112 9.3.2',
      asks: 'answer both, in order',
      sends: `GET /1 HTTP/1.1\r\n${host}\r\nGET /2 HTTP/1.1\r\n${host}\r\n`,
      uws: { verdict: 'no answer', note: 'uWS closes the connection' },
      node: { verdict: 'forwarded', arrives: /^GET \/1 [\s\S]*GET \/2 / },
    },
    {
      what: 'A client that closes its side behind its request',
      rfc: '9112 9.6',
      asks: 'answer it',
      halfCloses: true,
      uws: { verdict: 'no answer', note: 'uWS closes the connection' },
      node: { verdict: 'forwarded' },
    },
    {
      what: 'A client that closes its side within a body',
      rfc: '9112 8',
      asks: 'incomplete: never pass it on as whole',
      sends: `POST / HTTP/1.1\r\n${host}content-length: 10\r\n\r\nabc`,
      halfCloses: true,
      ...both('no answer'),
    },
    {
      what: '`Expect: 100-continue`',
      rfc: '9110 10.1.1',
      asks: '100, or a final response',
      sends: `POST / HTTP/1.1\r\n${host}expect: 100-continue\r\ncontent-length: 1\r\n\r\n`,
      sendsThen: ['100 Continue\r\n\r\n', 'x'],
      uws: {
        verdict: 'forwarded',
        note: 'uWS sends the 100, and the expectation ends here',
        arrives: /^(?![\s\S]*expect)[\s\S]*\r\n\r\nx$/i,
      },
      node: {
        verdict: 'forwarded',
        note: "with the expectation; the origin's 100 goes back",
        arrives: /^(?=[\s\S]*expect: 100-continue\r\n)[\s\S]*\r\n\r\nx$/i,
      },
    },
    {
      what: 'Another expectation',
      rfc: '9110 10.1.1',
      asks: '417',
      sends: `POST / HTTP/1.1\r\n${host}expect: a-miracle\r\ncontent-length: 1\r\n\r\nx`,
      ...both('answered 417, closed'),
    },
    {
      what: '103 before the final response',
      rfc: '9110 15.2',
      asks: 'forward it',
      answers: `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}\r\nok`,
      ...both('forwarded', {
        comes: /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
      }),
    },
    {
      what: '103, to HTTP/1.0',
      rfc: '9110 15.2',
      asks: 'never send one',
      sends: `GET / HTTP/1.0\r\n${host}\r\n`,
      answers: `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}\r\nok`,
      uws: { verdict: 'answered 505, closed' },
      node: { verdict: 'forwarded, closed', comes: /^HTTP\/1\.1 200 / },
    },
    {
      what: '100 that the client did not ask for',
      rfc: '9110 15.2.1',
      asks: 'may be discarded',
      answers: `HTTP/1.1 100 Continue\r\n\r\n${ok}\r\nok`,
      ...both('forwarded', { comes: /^HTTP\/1\.1 200 / }),
    },
    {
      what: 'An upgrade to WebSocket, accepted by the origin',
      rfc: '6455 4, 9110 7.8',
      asks: 'a tunnel, or no Upgrade',
      sends: `GET / HTTP/1.1\r\n${host}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      answers:
        'HTTP/1.1 101 Switching Protocols\r\nx-origin: 1\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
      ends: ['fin', '\r\n\r\n'],
      ...both('forwarded, closed', {
        arrives: /^(?=[\s\S]*upgrade: websocket\r\n)[\s\S]*connection: upgrade\r\n/i,
        comes: /^HTTP\/1\.1 101 [\s\S]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i,
      }),
    },
    {
      what: 'An upgrade to another protocol, accepted by the origin',
      rfc: '9110 7.8',
      asks: 'a tunnel, or no Upgrade',
      // With `upgrades` of a route the node engine passes it.
      sends: `GET / HTTP/1.1\r\n${host}connection: Upgrade\r\nupgrade: custom/1\r\n\r\n`,
      answers:
        'HTTP/1.1 101 Switching Protocols\r\nx-origin: 1\r\nupgrade: custom/1\r\nconnection: Upgrade\r\n\r\n',
      ends: ['fin'],
      ...both('answered 502', {
        note: 'Upgrade is removed unless the route lists the protocol; a 101 is then one that nobody asked for',
      }),
    },
  ],
};
