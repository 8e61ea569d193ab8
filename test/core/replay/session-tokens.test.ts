import fc from 'fast-check';
import { Framing } from '../../../core/http/message.js';
import type { RecordedRequest, ResponseContent } from '../../../core/recording/recorded.js';
import {
  parseTokenSource,
  SessionTokens,
  type TokenSource,
  tokenIn,
} from '../../../core/replay/session-tokens.js';
import t from '../../support/tap.js';

const sources = ['cookie:sid', 'header:x-csrf', '$.auth.access_token'].map((text) => parseTokenSource(text)!);

function response(fields: string, body = ''): ResponseContent {
  return { head: `200 OK\r\n${fields}`, body: Buffer.from(body), truncated: false };
}

function request(changes: Partial<RecordedRequest>): RecordedRequest {
  return {
    method: 'POST',
    target: '/',
    host: 'h',
    fields: '',
    framing: Framing.LENGTH,
    lengthZero: false,
    body: Buffer.alloc(0),
    trailers: '',
    grpc: false,
    messageTimes: '',
    ...changes,
  };
}

const json = 'content-type: application/json\r\n';

/** A server that gave `NEW-…` for each recorded `OLD-…`. */
function taught(of: readonly TokenSource[] = sources): SessionTokens {
  const tokens = new SessionTokens(of);
  const answer = (which: string) =>
    response(
      `Set-Cookie: sid=${which}-cookie==; Path=/; HttpOnly\r\nX-Csrf: ${which}-header\r\n${json}`,
      `{"auth":{"access_token":"${which}-member"}}`,
    );
  tokens.learn(answer('OLD'), answer('NEW-longer'));
  return tokens;
}

t.test('a token takes the place of the recorded one wherever that stands as a whole', async (t) => {
  const sent = taught().apply(
    request({
      target: '/users/OLD-member/cart?csrf=OLD-header&x=OLD-header2',
      fields: `cookie: a=b; sid=OLD-cookie==; c=d\r\nauthorization: Bearer OLD-member\r\n${json}`,
      body: Buffer.from('{"token":"OLD-member","note":"not-OLD-member","é":1}'),
    }),
  );
  t.equal(sent.target, '/users/NEW-longer-member/cart?csrf=NEW-longer-header&x=OLD-header2');
  t.equal(
    sent.fields,
    `cookie: a=b; sid=NEW-longer-cookie==; c=d\r\nauthorization: Bearer NEW-longer-member\r\n${json}`,
  );
  t.equal(sent.body.toString(), '{"token":"NEW-longer-member","note":"not-OLD-member","é":1}');
});

t.test('a body that is not text is sent as it was recorded', async (t) => {
  const body = Buffer.from('OLD-member');
  for (const fields of ['content-type: image/png\r\n', `${json}content-encoding: gzip\r\n`])
    t.equal(taught().apply(request({ fields, body })).body, body);
});

t.test('a source that only one of the two responses has teaches nothing', async (t) => {
  const tokens = new SessionTokens(sources);
  tokens.learn(response('Set-Cookie: sid=OLD-cookie\r\n'), response('Set-Cookie: other=NEW-cookie\r\n'));
  tokens.learn(response('Set-Cookie: sid=short\r\n'), response('Set-Cookie: sid=NEW-cookie\r\n'));
  t.equal(tokens.knows('OLD-cookie'), false);
  t.equal(tokens.knows('short'), false);
});

t.test('a request is found to carry a token that is awaited, and which', async (t) => {
  const awaited = new Map([['OLD-member', []]]);
  t.equal(tokenIn(request({ fields: 'authorization: Bearer OLD-member\r\n' }), awaited), 'OLD-member');
  t.equal(tokenIn(request({ target: '/a/OLD-member' }), awaited), 'OLD-member');
  t.equal(tokenIn(request({ fields: 'authorization: Bearer OLD-members\r\n' }), awaited), null);
});

t.test('a request without known tokens is sent byte for byte', async (t) => {
  const tokens = taught();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary-ascii' }), (bytes, text) => {
      const body = Buffer.from(bytes);
      const fields = `x: ${text.replace(/[\r\n]/g, '')}\r\ncontent-type: text/plain\r\n`;
      const sent = tokens.apply(request({ fields, body }));
      t.ok(sent.body.equals(body) && sent.fields === fields);
    }),
  );
});

t.test('sources are cookies, headers and members', async (t) => {
  t.strictSame(parseTokenSource('header:X-Csrf'), { by: 'header', name: 'x-csrf' });
  for (const text of ['sid', 'cookie:', '$', '$.a[0]', 'body:x']) t.equal(parseTokenSource(text), null, text);
});
