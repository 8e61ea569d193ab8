import t from '../support/tap.js';
import { runToEnd } from '../support/umbra.js';

t.test('`umbra demo` mirrors under load, compares both versions and ends by itself', async (t) => {
  const { code, out, err } = await runToEnd(
    'demo',
    '--for',
    '4s',
    '--rate',
    '20',
    '--port',
    '0',
    '--admin-port',
    '0',
  );
  t.equal(code, 0, err);
  const row = (name: string): RegExpExecArray | null =>
    new RegExp(`^ *${name} +(\\d+) +(\\d+) +(\\S+)$`, 'm').exec(out);
  const requests = row('requests');
  t.ok(Number(requests?.[1]) > 10, out);
  t.equal(requests?.[1], requests?.[2], 'v2 got as many requests as v1');
  t.strictSame(row('2xx')?.slice(1), [requests?.[1], requests?.[1], '0']);
  t.strictSame(row('failures')?.slice(1), ['0', '0', '0']);
  t.match(
    out,
    new RegExp(
      `mirrored: ${requests?.[1]} eligible = ${requests?.[1]} sent \\+ 0 dropped; .*none unaccounted for`,
    ),
  );
  t.match(out, /the live page +http:\/\/127\.0\.0\.1:\d+\/$/m);
  t.match(out, /clients made \d+ calls; 0 failed/);
});
