import fc from 'fast-check';
import { EdgeFields } from '../../../core/http/edge-fields.js';
import { RequestHead } from '../../../core/http/message.js';
import { RequestIds } from '../../../core/http/request-id.js';
import type { EdgePlan } from '../../../core/plan.js';
import t from '../../support/tap.js';
import { edgeOff } from '../route/support.js';

const ids = (): RequestIds => new RequestIds(() => 0x1234_5678);

function applied(
  plan: Partial<EdgePlan>,
  fields: string,
  peer = '192.0.2.7',
  changes: Partial<RequestHead> = {},
): RequestHead {
  const head = Object.assign(new RequestHead(), { host: 'shop.example:8080', fields, ...changes });
  new EdgeFields({ ...edgeOff, ...plan }, ids()).apply(head, { clientAddress: () => peer });
  return head;
}

const append = { forwarded: { mode: 'append', as: 'x-forwarded' } } as const;
const set = { forwarded: { mode: 'set', as: 'x-forwarded' } } as const;
const accept = 'accept: */*\r\n';

t.test('append names the peer, the scheme and the host behind what was sent', async (t) => {
  t.equal(
    applied(append, accept).fields,
    `${accept}x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\nx-forwarded-host: shop.example:8080\r\n`,
  );
  t.match(
    applied(append, accept, '::1', { secure: true }).fields,
    /for: ::1\r\nx-forwarded-proto: https\r\n/,
  );
});

t.test(
  'append makes one line of what the proxies before us said, and keeps their scheme and host',
  async (t) => {
    const sent =
      'X-Forwarded-For: 203.0.113.1\r\nx-forwarded-proto: https\r\naccept: */*\r\nx-forwarded-for:  10.0.0.1 \r\nX-Forwarded-Host: a\r\n';
    t.equal(
      applied(append, sent).fields,
      'x-forwarded-proto: https\r\naccept: */*\r\nX-Forwarded-Host: a\r\nx-forwarded-for: 203.0.113.1, 10.0.0.1, 192.0.2.7\r\n',
    );
  },
);

t.test('set believes nothing that a client says of itself', async (t) => {
  const sent = `x-forwarded-for: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nx-forwarded-proto: https\r\n${accept}`;
  t.equal(
    applied(set, sent).fields,
    `${accept}x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\nx-forwarded-host: shop.example:8080\r\n`,
  );
});

t.test('off leaves everything as it is', async (t) => {
  const sent = 'x-forwarded-for: 1.1.1.1\r\nvia: 1.0 a\r\nx-request-id: 7\r\n';
  t.equal(applied({}, sent).fields, sent);
  t.equal(EdgeFields.act(edgeOff), false);
});

t.test('a client behind a unix socket has no address to name', async (t) => {
  t.equal(
    applied(append, 'x-forwarded-for: 1.1.1.1\r\n', '').fields,
    'x-forwarded-for: 1.1.1.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: shop.example:8080\r\n',
  );
});

t.test('Forwarded is written as RFC 7239 has it', async (t) => {
  const plan = { forwarded: { mode: 'append', as: 'forwarded' } } as const;
  t.equal(
    applied(plan, '', '2001:db8::1', { secure: true }).fields,
    'forwarded: for="[2001:db8::1]";proto=https;host="shop.example:8080"\r\n',
  );
  t.equal(
    applied(plan, 'Forwarded: for=_secret\r\n', '').fields,
    'forwarded: for=_secret, for=unknown;proto=http;host="shop.example:8080"\r\n',
  );
});

t.test('Via names the version that came in', async (t) => {
  t.equal(applied({ via: 'umbra' }, '').fields, 'via: 1.1 umbra\r\n');
  t.equal(
    applied({ via: 'umbra' }, 'via: 1.1 a\r\nvary: x\r\nVia: 1.0 b\r\n', '1.1.1.1', { http10: true }).fields,
    'vary: x\r\nvia: 1.1 a, 1.1 b, 1.0 umbra\r\n'.replace('1.1 b', '1.0 b'),
  );
});

t.test('an id is kept, made where there is none, or always made', async (t) => {
  const uuid = /^x-request-id: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\r\n$/;
  t.equal(applied({ requestId: 'keep' }, 'X-Request-ID: 7\r\n').fields, 'X-Request-ID: 7\r\n');
  t.match(applied({ requestId: 'keep' }, '').fields, uuid);
  t.match(applied({ requestId: 'keep' }, 'x-request-id: \r\n').fields, uuid);
  t.match(applied({ requestId: 'new' }, 'x-request-id: 7\r\nx-request-id: 8\r\n').fields, uuid);
});

t.test('only trusted proxies say who the client is', async (t) => {
  const plan = { ...append, trusted: ['10.0.0.0/8', 'fd00::/8'] };
  const sent = 'x-forwarded-for: 6.6.6.6, 203.0.113.9:4711, 10.1.1.1, fd00::2\r\n';
  t.equal(applied(plan, sent, '10.0.0.1').client, '203.0.113.9', 'the last one that is not ours');
  t.match(applied(plan, sent, '10.0.0.1').fields, /for: 6\.6\.6\.6, .*, fd00::2, 10\.0\.0\.1\r\n/);
  t.equal(applied(plan, sent, '192.0.2.7').client, '', 'the peer is the client');
  t.match(
    applied(plan, sent, '192.0.2.7').fields,
    /^x-forwarded-for: 192\.0\.2\.7\r\n/,
    'a stranger is not believed',
  );
  t.equal(applied(plan, 'x-forwarded-for: unknown\r\n', '10.0.0.1').client, '10.0.0.1');
  t.equal(applied({ ...plan, trusted: ['unix'] }, sent, '').client, 'fd00::2');
  const forwarded = { forwarded: { mode: 'append', as: 'forwarded' }, trusted: ['10.0.0.1'] } as const;
  t.equal(
    applied(forwarded, 'forwarded: for="1.1.1.1\r\nforwarded: for="203.0.113.9"\r\n', '10.0.0.1').client,
    '203.0.113.9',
    'a quote that the client left open takes nothing of what the proxy added',
  );
  t.equal(
    applied(forwarded, 'forwarded: for=1.1.1.1, for="[2001:db8::9]:80";proto=http\r\n', '10.0.0.1').client,
    '2001:db8::9',
  );
});

t.test('whatever else a client sends stays, in its order', async () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/);
  const value = fc.stringMatching(/^[!-~]{0,12}$/);
  const ours = /^(?:x-forwarded-(?:for|proto|host)|forwarded|via|x-request-id)$/i;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(name, fc.constantFrom('Via', 'x-forwarded-for', 'Forwarded')), value)),
      fc.constantFrom('append', 'set', 'off'),
      fc.constantFrom('x-forwarded', 'forwarded'),
      (lines, mode, as) => {
        const fields = lines.map(([n, v]) => `${n}: ${v}\r\n`).join('');
        const head = applied({ forwarded: { mode, as }, via: 'me', requestId: 'new' }, fields);
        const others = (text: string): string[] =>
          text.split('\r\n').filter((line) => !ours.test(line.split(':', 1)[0]!));
        return others(head.fields).join() === others(fields).join() && head.fields.endsWith('\r\n');
      },
    ),
  );
});

t.test('ids never repeat, also where their low digits begin again', async (t) => {
  const made = new RequestIds(() => 0xffff_fff0);
  const seen = new Set<string>();
  for (let i = 0; i < 100_000; i++) seen.add(made.next());
  t.equal(seen.size, 100_000);
});
