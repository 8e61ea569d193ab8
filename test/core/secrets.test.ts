/** One table of what must not be shown, through every door by which what passes umbra is shown or stored. */

import { GrpcStatus } from '../../core/grpc/grpc-status.js';
import { Redactor } from '../../core/recording/redactor.js';
import { Redaction } from '../../core/redact.js';
import { accessLine } from '../../core/report/access-line.js';
import t from '../support/tap.js';

const plan = { defaults: true, headers: [], query: ['key', 'sig', 'code', 'pass'], json: [] };
const redaction = new Redaction(plan);
const redactor = new Redactor(plan);

/** `S3CRET` stands for the secret, in each text and in what is left of it nowhere. */
const texts = [
  'error: login failed: password=S3CRET',
  'a: b: c: token: S3CRET',
  'level=info msg=x password=S3CRET user=ada',
  'password: "S3 S3CRET"',
  "password='S3CRET and more'",
  "pwd => 'S3CRET'",
  'secret := S3CRET',
  'password = S3CRET',
  'token: Bearer S3CRETS3CRET',
  'Authorization: Custom a="b", c=S3CRET',
  'Cookie: a=S3CRET; b=S3CRET',
  'set-cookie: sid=S3CRET; Path=/',
  'https://a/x?access_token=S3CRET',
  'https://a/x?a=1&access_token=S3CRET,S3CRET;S3CRET&b=2',
  'https://a/x?api%5Fkey=S3CRET',
  'https://a/x?user[password]=S3CRET',
  'https://a/x?user%5Bpassword%5D=S3CRET',
  'https://a/login?next=https%3A%2F%2Fb%2F%3Faccess_token%3DS3CRET%26c%3D1',
  'https://ada:S3CRET@host/x',
  'connect to postgres://ada:S3CRET@db:5432/x failed',
  '/path;jsessionid=S3CRET?x=1',
  'https://a/x?key=S3CRET',
  'https://a/x?a=1&sig=S3CRET#top',
  'https://a/x?Code=S3CRET',
  '/callback?code=S3CRET&state=1',
  'pin=S3CRET',
  'user.pin=S3CRET',
  'user[pin]=S3CRET',
  '{"password":"S3CRET"}',
  '{"a":{"token":"S3CRET"},"b":1}',
  '{"password":{"a":["S3CRET"]},"b":1}',
  '{"password":"S3CRET',
  '{"a":1,"credentials":{"user":"S3CRET","key":["S3CRET"',
  '{"pass\\u0077ord":"S3CRET"}',
  '{"inner":"{\\"password\\":\\"S3CRET\\"}"}',
  '{"inner":"{\\"password\\":\\"a\\\\\\"S3CRET\\"}"}',
  '{"inner":"{\\"inner\\":\\"{\\\\\\"password\\\\\\":\\\\\\"S3CRET\\\\\\"}\\"}"}',
  '{"url":"https://a/?token=S3CRET"}',
  '{"log":"login failed: password=S3CRET"}',
  '{"name":"password","value":"S3CRET"}',
  '[{"key":"x-api-key","value":"S3CRET"},{"key":"accept","value":"*"}]',
  '{"a":1}\n{"token":"S3CRET"}\n',
  '<password>S3CRET</password>',
  '<a><ns:password x="1">S3CRET</ns:password></a>',
  '<password><![CDATA[S3CRET]]></password>',
  '<token value="S3CRET"/>',
  '<login password="S3CRET" user="ada"/>',
  '<input type="hidden" name="password" value="S3CRET">',
  '<pin>S3CRET',
  'Bearer S3CRETS3CRET',
  'got basic  S3CRETS3CRET from a',
  'Negotiate S3CRETS3CRET==',
  'NTLM S3CRETS3CRET==',
  'x=eyJhbGciOiJIUzI1NiJ9.S3CRET.S3CRET',
  'a-eyJhbGciOiJIUzI1NiJ9.eyJTM0NSRVQiOjF9S3CRET',
  'a.b.eyJhbGciOiJkaXIifQ.S3CRET.S3CRET.S3CRET.S3CRET',
];

t.test('a secret is not in text, whatever it stands in', async (t) => {
  for (const text of texts) t.notMatch(redaction.text(text), /S3CRET/, text);
});

t.test(
  'a secret is not in the fields and the target of a recorded message, nor in a line of the access log',
  async (t) => {
    for (const text of texts.filter((text) => !text.includes('\n'))) {
      t.notMatch(redactor.message(`x-a: ${text}\r\nreferer: ${text}\r\n`, [], 0).fields, /S3CRET/, text);
      t.notMatch(redactor.target(`/${text}`), /S3CRET/, text);
      for (const format of ['json', 'envoy'] as const) {
        const line = accessLine(
          { ...entry, target: `/${text}`, fields: `user-agent: ${text}\r\n` },
          format,
          redaction,
        );
        t.notMatch(line, /S3CRET/, text);
      }
    }
  },
);

const types = ['text/plain', 'application/json', 'application/xml', 'application/x-www-form-urlencoded', ''];

t.test('a secret is not in a recorded body, whatever type it is sent with', async (t) => {
  for (const type of types) {
    for (const text of texts) t.notMatch(bodyOf(type, text), /S3CRET/, `${type} ${text}`);
  }
});

t.test('JSON is looked into under any type', async (t) => {
  for (const type of [
    'application/x-amz-json-1.1',
    'application/csp-report',
    'application/octet-stream',
    'a/b',
  ]) {
    t.equal(bodyOf(type, ' {"password":"S3CRET","a":1}'), ' {"password":"[redacted]","a":1}', type);
  }
  t.equal(bodyOf('application/x-www-form-urlencoded', '{"password":"S3CRET"}'), '{"password":"[redacted]"}');
});

t.test('forms lose the values of secret fields', async (t) => {
  const form = 'application/x-www-form-urlencoded';
  t.equal(
    bodyOf(form, 'pass=S3CRET&a=1&p%61ssword=S3 CRET'),
    'pass=[redacted]&a=1&p%61ssword=[redacted] CRET',
  );
  t.equal(bodyOf(form, 'a=1&key=S3CRET'), 'a=1&key=[redacted]');
  const parts =
    '--b\r\nContent-Disposition: form-data; filename="name=x"; name="password"\r\n\r\nS3CRET\r\n' +
    '--b\r\nContent-Disposition: form-data; name=key\r\n\r\nS3CRET\r\n' +
    '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n{"token":"S3CRET"}\r\n' +
    '--b\r\nContent-Disposition: form-data; name="c"\r\nContent-Type: image/png\r\n\r\ntoken=kept\r\n--b--\r\n';
  const shown = bodyOf('multipart/form-data; boundary="b"', parts);
  t.notMatch(shown, /S3CRET/);
  t.match(shown, 'token=kept');
  t.equal(shown.split('--b').length, parts.split('--b').length, 'the parts stay');
});

t.test('what only looks like a secret stays as it is', async (t) => {
  for (const text of [
    'a token is needed: see https://a/docs?page=2#tokens',
    'error: code 7, sign: none',
    'code=7 and key: b',
    'x eyJ y',
    'eyJ-eyJ-eyJ-',
    'a@b.example wrote: 12:30',
    'a < b, tokens > 3',
    '{"a":"b@c","n":1.50,"s":"\\u00e9\\n"}',
    'user[name]=ada&tags[]=x',
    '%E0%A4%A=1&100%=x',
    'Basic auth',
  ])
    t.equal(redaction.text(text), text);
});

t.test('what is not secret stays beside what is', async (t) => {
  t.equal(
    redaction.text('error: login failed: password=S user=ada'),
    'error: login failed: password=[redacted] user=ada',
  );
  t.equal(redaction.text('https://a/x?access_token=S&b=2'), 'https://a/x?access_token=[redacted]&b=2');
  t.equal(redaction.text('/?n=%2F%3Ftoken%3DS%26c%3D1&d=2'), '/?n=%2F%3Ftoken%3D[redacted]%26c%3D1&d=2');
  t.equal(redaction.text('<a><pin>S</pin><b>1</b></a>'), '<a><pin>[redacted]</pin><b>1</b></a>');
  t.equal(
    bodyOf('application/json', '{"a":"{\\"token\\":\\"S\\",\\"b\\":\\"\u00c3\u00a9\\u20ac\\"}"}'),
    '{"a":"{\\"token\\":\\"[redacted]\\",\\"b\\":\\"\u00c3\u00a9\u00e2\u0082\u00ac\\"}"}',
    'characters beside a secret are written in UTF-8',
  );
});

t.test('without the defaults the listed parameters alone are hidden', async (t) => {
  const listed = new Redaction({ defaults: false, headers: [], query: ['Key'], json: [] });
  t.equal(listed.text('/?key=S&token=T'), '/?key=[redacted]&token=T');
  t.equal(listed.form('key=S&token=T'), 'key=[redacted]&token=T');
  t.equal(listed.text('key=S'), 'key=S', 'it is not a parameter here');
  const form = 'content-type: application/x-www-form-urlencoded\r\n';
  const own = new Redactor({ defaults: false, headers: [], query: ['key'], json: [] });
  t.equal(Buffer.concat(own.message(form, [Buffer.from('k%65y=S')], 7).body).toString(), 'k%65y=[redacted]');
  t.notOk(own.isHarmless(Buffer.from('GET /?a=1&key=S'), 0, 15));
});

t.test('control characters of both sets are escaped in lines of the access log', async (t) => {
  const line = accessLine({ ...entry, target: '/\x9b31m\x7f', fields: '' }, 'json', redaction);
  t.match(line, '\\u009b31m\\u007f');
  t.equal((JSON.parse(line) as { path: string }).path, '/\x9b31m\x7f');
});

const entry = {
  http2: false,
  grpcStatus: GrpcStatus.NONE,
  endMs: 0,
  durationUs: 0,
  upstreamUs: 0,
  requestBytes: 0,
  responseBytes: 0,
  status: 200,
  role: 'primary',
  method: 'GET',
  target: '/',
  host: 'h',
  fields: '',
  upstream: '',
  flag: '',
  version: 'v1',
  route: 'r',
  details: '',
} as const;

function bodyOf(type: string, text: string): string {
  const body = Buffer.from(text, 'latin1');
  const fields = type === '' ? '' : `content-type: ${type}\r\n`;
  return Buffer.concat(redactor.message(fields, [body], body.byteLength).body).toString('latin1');
}
