import { warcOfHar } from '../../../core/recording/har.js';
import type { RecordedExchange, SkippedRecord } from '../../../core/recording/recorded.js';
import { Timeline } from '../../../core/recording/timeline.js';
import t from '../../support/tap.js';

function read(...entries: object[]): { exchanges: RecordedExchange[]; skipped: SkippedRecord[] } {
  const found = [...warcOfHar(JSON.stringify({ log: { version: '1.2', entries } }))];
  const file = Buffer.concat(found.filter(Buffer.isBuffer));
  const timeline = new Timeline([{ path: '', readAt: (into, position) => file.copy(into, 0, position) }]);
  t.strictSame(
    [...timeline.index()].filter((step) => step !== null),
    [],
  );
  const skipped = found.filter((one): one is SkippedRecord => !Buffer.isBuffer(one));
  return { exchanges: [...timeline.exchanges()], skipped };
}

function entry(request: object, response: object = {}, more: object = {}): object {
  return {
    startedDateTime: '2026-01-31T14:00:00.250+02:00',
    time: 12,
    request: { method: 'GET', url: 'https://shop.example/a?b=c', headers: [], ...request },
    response: { status: 200, statusText: 'OK', headers: [], content: {}, ...response },
    ...more,
  };
}

t.test('an entry is an exchange with its time, body, answer and latency', async (t) => {
  const { exchanges, skipped } = read(
    entry(
      {
        method: 'POST',
        headers: [
          { name: ':authority', value: 'shop.example' },
          { name: 'Host', value: 'shop.example' },
          { name: 'Content-Length', value: '8' },
          { name: 'X-Name', value: 'Zoë' },
        ],
        postData: { mimeType: 'application/json', text: '{"ë":1}' },
      },
      {
        status: 201,
        headers: [{ name: 'content-encoding', value: 'br' }],
        content: { size: 2, text: 'b2s=', encoding: 'base64' },
      },
      { timings: { blocked: 5, send: 1, wait: 7, receive: 2.5 } },
    ),
  );
  t.strictSame(skipped, []);
  const [{ timeUs, request, response }] = exchanges;
  t.equal(timeUs, 1_769_860_800_250_000);
  t.strictSame(
    [request.method, request.target, request.host, request.body.toString()],
    ['POST', '/a?b=c', 'shop.example', '{"ë":1}'],
  );
  t.equal(Buffer.from(request.fields, 'latin1').toString(), 'X-Name: Zoë\r\n');
  t.strictSame([response!.status, response!.bytes, response!.latencyUs], [201, 2, 10_500]);
  t.equal(response!.content!.body.toString(), 'ok');
  t.notMatch(response!.content!.head, /encoding/);
});

t.test('a form that is given as parameters is a body again', async (t) => {
  const postData = { mimeType: 'application/x-www-form-urlencoded', params: [{ name: 'a b', value: '1&2' }] };
  const { exchanges } = read(entry({ method: 'POST', postData }));
  t.equal(exchanges[0].request.body.toString(), 'a+b=1%262');
});

t.test('an answer that is not in the file, or not whole, differs from an empty one', async (t) => {
  const { exchanges } = read(entry({}, { status: 0 }), entry({}, { content: { size: 10 } }), entry({}));
  t.strictSame(
    exchanges.map(({ response }) => response?.truncated),
    [undefined, true, false],
  );
});

t.test('what can not be played is skipped with its number and the reason', async (t) => {
  const { skipped } = read(
    entry({ url: 'data:text/plain,hi' }),
    entry({ url: 'wss://shop.example/live' }),
    entry({ method: 'POST', bodySize: 7 }),
    entry({ method: 'POST', postData: { mimeType: 'multipart/form-data', params: [{ name: 'f' }] } }),
    entry({}, {}, { startedDateTime: 'yesterday' }),
    {},
  );
  t.strictSame(skipped, [
    { offset: 0, reason: 'not a request over HTTP' },
    { offset: 1, reason: 'not a request over HTTP' },
    { offset: 2, reason: 'its body is not in the file' },
    { offset: 3, reason: 'its body is not in the file' },
    { offset: 4, reason: 'it has no time' },
    { offset: 5, reason: 'not a request over HTTP' },
  ]);
});

t.test('JSON that is not HAR is refused', async (t) => {
  t.throws(() => [...warcOfHar('{"json":true}')], /no HAR/);
  t.throws(() => [...warcOfHar('{')], /not JSON/);
});

t.test('an entry whose body is not known to be whole is named', async (t) => {
  const length = (value: string) => ({ headers: [{ name: 'content-length', value }] });
  const { exchanges, skipped } = read(
    entry({ method: 'POST', ...length('9'), postData: { mimeType: 'text/plain', text: 'four' } }),
    entry({ method: 'POST', ...length('9') }),
    entry({ method: 'POST', bodySize: 9 }),
    entry({
      method: 'POST',
      ...length('9'),
      postData: {
        mimeType: 'application/x-www-form-urlencoded',
        params: [{ name: 'a', value: 'b c' }],
      },
    }),
  );
  t.strictSame(skipped, [
    { offset: 0, reason: 'has 4 bytes of a body of 9' },
    { offset: 1, reason: 'has 0 bytes of a body of 9' },
    { offset: 2, reason: 'its body is not in the file' },
  ]);
  t.equal(exchanges[0].request.body.toString(), 'a=b+c');
});
