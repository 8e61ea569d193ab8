import { FormatSource } from '../../../core/http/format-source.js';
import { RequestHead } from '../../../core/http/message.js';
import { compileFormat, type FormatPlace } from '../../../core/http/value-format.js';
import t from '../../support/tap.js';

const peer = { clientAddress: () => '203.0.113.7', clientPort: () => 4711 };

/** A request for `http://a.test/x?q=1` and its response, as far as they concern values. */
function source(head: Partial<RequestHead> = {}, changes: Partial<FormatSource> = {}): FormatSource {
  const asked = Object.assign(new RequestHead(), {
    target: '/x?q=1',
    host: 'a.test',
    fields: 'x-user: jason\r\nX-User: second\r\nx-empty:\r\n',
    localPort: 8080,
    ...head,
  });
  const made = new FormatSource();
  made.begin(asked, peer, 'reviews', 'v1', Date.UTC(2026, 0, 31, 13, 5, 9, 42));
  return Object.assign(made, changes);
}

const answered = { status: 203, upstream: '127.0.0.1:9080', responseFields: 'server: x\r\n' };
const text = (value: string, place: FormatPlace = 'response', of = source({}, answered)): string =>
  compileFormat(value, place).text(of);

t.test('a value without a command is constant, and two % are one', async (t) => {
  t.equal(compileFormat('plain (x)', 'request').constant, 'plain (x)');
  t.equal(compileFormat('100%% of %%REQ', 'request').constant, '100% of %REQ');
  t.equal(compileFormat('%PROTOCOL%', 'request').constant, null);
});

t.test('commands stand for what is known of the exchange', async (t) => {
  const rows: readonly (readonly [value: string, text: string])[] = [
    ['%REQ(X-USER)%', 'jason'],
    ['<%REQ(x-none)%>', '<>'],
    ['%REQ(x-empty?x-user)%', 'jason'],
    ['%REQ(x-user?:path)%', 'jason'],
    ['%REQ(x-user):3%', 'jas'],
    ['%REQ(:method)% %REQ(:path)% %REQ(:scheme)% %REQ(:authority)%', 'GET /x?q=1 http a.test'],
    ['%RESP(Server)% %RESP(:status)% %RESPONSE_CODE%', 'x 203 203'],
    ['%PROTOCOL%', 'HTTP/1.1'],
    ['%DOWNSTREAM_REMOTE_ADDRESS%', '203.0.113.7:4711'],
    ['%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%/%DOWNSTREAM_REMOTE_PORT%', '203.0.113.7/4711'],
    ['%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%', '203.0.113.7:4711'],
    ['%DOWNSTREAM_LOCAL_PORT%', '8080'],
    ['%UPSTREAM_HOST% %UPSTREAM_CLUSTER% %ROUTE_NAME%', '127.0.0.1:9080 v1 reviews'],
    ['%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_PORT%', '127.0.0.1 9080'],
    ['%START_TIME%', '2026-01-31T13:05:09.042Z'],
    ['%START_TIME(%Y/%m/%d %H:%M:%S.%3f)%', '2026/01/31 13:05:09.042'],
    ['%START_TIME(%s)%%%', '1769864709%'],
    [
      '%START_TIME(%a %e %b %y, %I %p, day %j, %F %T %z %f)%',
      'Sat 31 Jan 26, 01 PM, day 031, 2026-01-31 13:05:09 +0000 042000000',
    ],
  ];
  for (const [value, expected] of rows) t.equal(text(value), expected, value);
  const timed = source({}, { requestMs: 1.4, responseMs: 20.5 });
  t.equal(text('%REQUEST_DURATION% %RESPONSE_DURATION%', 'response', timed), '1 21');
  t.equal(text('%REQUEST_DURATION%', 'response', source()), '', 'the client still sends');
});

t.test('a client that a proxy has named has no port, and one of a unix socket no address', async (t) => {
  const named = source({ client: '2001:db8::1' });
  t.equal(text('%DOWNSTREAM_REMOTE_ADDRESS%', 'request', named), '[2001:db8::1]:0');
  t.equal(text('%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%', 'request', named), '203.0.113.7:4711');
  const unix = source({}, { peer: '', client: '' });
  t.equal(text('%DOWNSTREAM_REMOTE_ADDRESS%%DOWNSTREAM_REMOTE_PORT%', 'request', unix), '');
  t.equal(text('%PROTOCOL%', 'request', source({ http10: true })), 'HTTP/1.0');
});

t.test('what is no command, or not known where it stands, is refused by its name', async (t) => {
  const rows: readonly (readonly [value: string, place: FormatPlace, message: RegExp])[] = [
    ['%20', 'request', /has a % that begins no command/],
    ['50%', 'request', /has a % that begins no command/],
    ['%req(x)%', 'request', /has a % that begins no command/],
    ['%REQ(x)', 'request', /has a % that begins no command/],
    ['%REQ(x', 'request', /has a % that begins no command/],
    ['%DYNAMIC_METADATA(a:b)%', 'request', /has %DYNAMIC_METADATA%, which umbra does not know/],
    ['%toString%', 'request', /has a % that begins no command/],
    ['%REQ%', 'request', /has %REQ%, which needs the name of a field/],
    ['%REQ(a?b?c)%', 'request', /has %REQ%, which needs the name of a field/],
    ['%PROTOCOL(x)%', 'request', /has %PROTOCOL%, which takes no argument in parentheses/],
    ['%START_TIME(%Q)%', 'request', /has %START_TIME%, which has the unknown time specifier %Q/],
    ['%RESP(x)%', 'request', /has %RESP%, which is not known before the response/],
    ['%UPSTREAM_HOST%', 'request', /has %UPSTREAM_HOST%, which is not known before the response/],
    ['%DOWNSTREAM_REMOTE_ADDRESS%', 'copy', /which is not known of a copy/],
    ['%PROTOCOL%'.repeat(17), 'request', /has more than 16 commands/],
  ];
  for (const [value, place, message] of rows) t.throws(() => compileFormat(value, place), { message }, value);
});
