import { isSecretName, Redaction, redactNothingMore } from '../../core/redact.js';
import t from '../support/tap.js';

const redaction = new Redaction(redactNothingMore);

t.test('names of credentials are secret in every spelling', async (t) => {
  for (const name of [
    'Authorization',
    'proxy-authorization',
    'Cookie',
    'Set-Cookie',
    'X-Api-Key',
    'apiKey',
    'access_token',
    'PASSWORD',
    'passwd',
    'clientSecret',
    'session-id',
    'sid',
    'private.key',
    'cvv',
  ]) {
    t.ok(isSecretName(name), name);
  }
  for (const name of ['accept', 'host', 'id', 'side', 'pinned', 'author', 'content-type', 'etag', 'key'])
    t.notOk(isSecretName(name), name);
});

t.test('a field is hidden by its name, and a credential in any other', async (t) => {
  t.equal(redaction.field('cookie', 'a=b'), '[redacted]');
  t.equal(redaction.field('server', 'nginx'), 'nginx');
  t.equal(redaction.field('x-forwarded', 'Bearer abcdefgh'), 'Bearer [redacted]');
  t.equal(new Redaction({ ...redactNothingMore, headers: ['x-mine'] }).field('x-mine', '1'), '[redacted]');
});

t.test('text loses what is assigned to a secret name, and tokens', async (t) => {
  t.equal(redaction.text('user=ada&password=p1&x=2'), 'user=ada&password=[redacted]&x=2');
  t.equal(redaction.text('{"token": "p1", "n": 1}'), '{"token": [redacted], "n": 1}');
  t.equal(redaction.text("secret: 'p 1' rest"), 'secret: [redacted] rest');
  t.equal(redaction.text('a eyJhbGciOi.eyJzdWIiOi.p1 b'), 'a [redacted] b');
  t.equal(redaction.text('a token is needed'), 'a token is needed');
});

t.test('a target loses the values of secret parameters', async (t) => {
  t.equal(
    redaction.text('/a?token=p1&page=2&api%5Fkey=p2'),
    '/a?token=[redacted]&page=2&api%5Fkey=[redacted]',
  );
  t.equal(redaction.text('http://ada:p1@host/a'), 'http://[redacted]@host/a');
  t.equal(redaction.text('/a/token?x'), '/a/token?x');
  t.equal(redaction.text('/a?%E0%A4%A=1'), '/a?%E0%A4%A=1', 'what is no encoding is left alone');
});

t.test('without the defaults only what is listed is hidden', async (t) => {
  const listed = new Redaction({ defaults: false, headers: ['x-mine'], query: [], json: ['$.a'] });
  t.equal(listed.field('cookie', 'a=b'), 'a=b');
  t.equal(listed.field('x-mine', 'a'), '[redacted]');
  t.equal(listed.text('/a?token=1'), '/a?token=1');
  t.ok(listed.hidesMember('a', listed.paths.step(listed.paths.root, 'a')));
});
