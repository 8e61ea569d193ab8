// Runs over one engine: chooses its engine itself.
import { once } from 'node:events';
import t from '../support/tap.js';
import { Output, runToEnd, spawnUmbra, until } from '../support/umbra.js';

t.test('`umbra demo` mirrors under load, compares both versions and ends by itself', async (t) => {
  const { code, out, err } = await runToEnd(
    'demo',
    '--for',
    '6s',
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
  const lines = (version: string): number =>
    out.split('\n').filter((line) => line.startsWith(`  ${version} [`)).length;
  t.equal(lines('v2'), Number(requests?.[2]), 'each copy has a line with the name of its version');
  t.ok(lines('v1') > lines('v2'));
});

t.test('`umbra demo --grpc` names the field, the status and the method that differ', async (t) => {
  const words = ['--for', '6s', '--rate', '30', '--port', '0', '--admin-port', '0'];
  const { code, out, err } = await runToEnd('demo', '--grpc', ...words);
  t.equal(code, 0, err);
  t.match(out, /^ {2}reviews v2, GRPC \/reviews\.Reviews\/Get$/m);
  t.match(out, /json \$\[\*\]\.stars value: \d+ of \d+, different/);
  t.match(out, /status NOT_FOUND FAILED_PRECONDITION value: \d+ of \d+, different/);
  t.match(out, /^ {2}FAIL +differences +/m);
  t.match(out, /mirrored: (\d+) eligible = \1 sent \+ 0 dropped; .*none unaccounted for/);
  t.match(out, /clients made \d+ calls; 0 failed/);
});

t.test('`umbra demo --services` runs the services alone until it is stopped', async (t) => {
  const child = spawnUmbra('demo', '--services', 'v1,v2');
  const output = new Output(child);
  const ended = once(child, 'close');
  const isUp = () => output.out.split('\n').length === 3 || output.err !== '';
  await until(isUp, 'both services listen');
  // Their ports are fixed: another program of this machine may have them.
  if (output.err.includes('EADDRINUSE')) return t.pass('a port is taken', { skip: output.err.trim() });
  t.equal(output.out, 'v1 http://127.0.0.1:9080/reviews/1\nv2 http://127.0.0.1:9081/reviews/1\n');
  t.match(await (await fetch('http://127.0.0.1:9081/reviews/1')).json(), { version: 'v2' });
  const second = await runToEnd('demo', '--services', 'v1');
  t.match(second, { code: 1, err: /^umbra: v1 can't listen: .*EADDRINUSE/ });
  child.kill('SIGINT');
  t.strictSame(await ended, [0, null]);
});
