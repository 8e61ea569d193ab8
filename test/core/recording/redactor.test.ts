import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { framedMessage, grpcMessages } from '../../../core/grpc/message-counter.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { isSecretName, redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';

const redactor = new Redactor(redactNothingMore);
const json = 'content-type: application/json\r\n';

function bodyOf(fields: string, body: Uint8Array | string) {
  const bytes = Buffer.from(body as string);
  const message = redactor.message(fields, [bytes], bytes.byteLength);
  return { ...message, text: Buffer.concat(message.body).toString() };
}

t.test(
  'secret fields and secrets in other fields are hidden, the first time and the next ones',
  async (t) => {
    const fields =
      'Authorization: Basic abcdefgh\r\naccept: */*\r\nx-api-key:k\r\nreferer: /?token=abc&a=1\r\n';
    const safe =
      'Authorization: [redacted]\r\naccept: */*\r\nx-api-key: [redacted]\r\nreferer: /?token=[redacted]&a=1\r\n';
    t.equal(redactor.message(fields, [], 0).fields, safe);
    t.equal(redactor.message(fields, [], 0).fields, safe);
  },
);

t.test('what the configuration names is hidden, and nothing else where defaults are off', async (t) => {
  const own = new Redactor({ defaults: false, headers: ['x-user'], query: [], json: ['$.name'] });
  const body = Buffer.from('{"name":"Ada","password":"p"}');
  const message = own.message(`x-user: ada\r\nauthorization: b\r\n${json}`, [body], body.byteLength);
  t.equal(message.fields, `x-user: [redacted]\r\nauthorization: b\r\n${json}`);
  t.equal(Buffer.concat(message.body).toString(), '{"name":"[redacted]","password":"p"}');
});

t.test('every secret name makes a body suspicious, whatever stands between its letters', async (t) => {
  const letters = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz-_.'.split(''));
  const words = [
    'authorization',
    'cookie',
    'token',
    'secret',
    'passwd',
    'passphrase',
    'apikey',
    'accesskey',
  ].concat([
    'privatekey',
    'credential',
    'signature',
    'sessionid',
    'sid',
    'pwd',
    'pin',
    'cvv',
    'cvc',
    'cardnumber',
  ]);
  const name = fc
    .tuple(
      fc.string({ unit: letters, maxLength: 3 }),
      fc.constantFrom(...words),
      fc.array(fc.constantFrom('', '-', '_', '.'), { minLength: 16, maxLength: 16 }),
    )
    .map(
      ([start, word, between]) =>
        start +
        word
          .split('')
          .map((letter, i) => letter + between[i])
          .join(''),
    );
  fc.assert(
    fc.property(name, (name) => {
      fc.pre(isSecretName(name));
      t.equal(
        bodyOf(json, JSON.stringify({ [name]: 'v4lue' })).text,
        JSON.stringify({ [name]: '[redacted]' }),
      );
    }),
  );
});

t.test('forms and texts are looked through, and what is neither stays', async (t) => {
  t.equal(
    bodyOf('content-type: application/x-www-form-urlencoded\r\n', 'a=1&password=x&b=2').text,
    'a=1&password=[redacted]&b=2',
  );
  t.equal(bodyOf('content-type: text/plain\r\n', 'token: abc').text, 'token: [redacted]');
  t.equal(bodyOf('content-type: image/png\r\n', 'token: abc').text, 'token: abc');
});

t.test('a coding is undone to look inside, and stays undone where something was hidden', async (t) => {
  const coded = `content-encoding: gzip\r\n${json}`;
  const hidden = bodyOf(coded, gzipSync('{"token":"abc"}') as Uint8Array);
  t.equal(hidden.text, '{"token":"[redacted]"}');
  t.equal(hidden.fields, json);
  const harmless = gzipSync('{"a":1}');
  t.same(Buffer.concat(redactor.message(coded, [harmless], harmless.byteLength).body), harmless);
});

t.test('a body whose coding can not be undone is withheld', async (t) => {
  const { withheld, bodyBytes } = bodyOf(`content-encoding: gzip\r\n${json}`, '{"token":"abc"}');
  t.strictSame([withheld, bodyBytes], [true, 0]);
});

t.test('there is nothing to hide in what the pre-filter passes', async (t) => {
  const types = ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'image/png', ''];
  const pieces = [
    'to',
    'ken',
    'tok%65n',
    'sid',
    'pin',
    'a',
    'key',
    'api',
    '-',
    '_',
    '.',
    '=',
    ':',
    '"',
    ' ',
    '\n',
    '&',
    '{',
    '}',
    'x',
  ].concat(
    ['Bearer', 'abcdefgh', 'eyJhbGciOi', 'J9.e30', '\\u0074', ','],
    ['<', '>', '</', ']', '[', "'", '\\', '/', '@', '://', 'NTLM', 'name', 'value'],
  );
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(''));
  let harmless = 0;
  fc.assert(
    fc.property(fc.constantFrom(...types), text, text, (type, value, body) => {
      const fields = `content-type: ${type}\r\nx-some: ${value.replace(/\n/g, '')}\r\n`;
      const message = Buffer.from(`POST / HTTP/1.1\r\n${fields}\r\n${body}`);
      if (!redactor.isHarmless(message, 0, message.byteLength)) return;
      harmless++;
      const { text, fields: shown, changed } = bodyOf(fields, body);
      t.strictSame([text, shown, changed], [body, fields, false]);
    }),
  );
  t.ok(harmless > 5, 'there are some of this kind');
});

t.test('a name in a form does not hide behind percent signs', async (t) => {
  const form = 'content-type: application/x-www-form-urlencoded\r\n';
  t.equal(bodyOf(form, 'p%61ssword=x&b=2').text, 'p%61ssword=[redacted]&b=2');
});

t.test('messages of gRPC that are JSON are redacted one by one, and stay messages', async (t) => {
  const fields = 'content-type: application/grpc+json\r\n';
  const messages = ['{"password":"hunter2","a":1}', '{"a":2}', ''].map((text) => Buffer.from(text));
  const { body, changed } = bodyOf(fields, Buffer.concat(messages.map(framedMessage)));
  t.equal(changed, true);
  const after = grpcMessages(Buffer.concat(body))!.map(({ bytes }) => bytes.toString());
  t.strictSame(after, ['{"password":"[redacted]","a":1}', '{"a":2}', '']);
  const harmless = framedMessage(Buffer.from('{"a":1}'));
  t.match(bodyOf(fields, harmless), { changed: false, bodyBytes: harmless.byteLength });
  const compressed = framedMessage(gzipSync('{"password":"hunter2"}'));
  compressed[0] = 1;
  t.match(bodyOf(fields, compressed), { withheld: true, bodyBytes: 0 });
  const protobuf = framedMessage(Buffer.from('\n\x10password=hunter2'));
  t.match(bodyOf('content-type: application/grpc\r\n', protobuf), { changed: false });
});
