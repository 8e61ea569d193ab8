import { parseWrk, wrkArguments } from '../../../bench/end-to-end/wrk.js';
import t from '../../support/tap.js';

const clean = `Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.12ms  503.21us  14.02ms   93.05%
    Req/Sec    57.71k     3.02k   61.20k    75.00%
  Latency Distribution
     50%  950.00us
     75%    1.22ms
     90%    1.48ms
     99%    2.51ms
  114936 requests in 2.00s, 48.12MB read
Requests/sec:  57391.20
Transfer/sec:     24.03MB
p99.9 4310us
`;

t.test('a clean run gives requests, seconds and percentiles in microseconds', async (t) => {
  t.same(parseWrk(clean), { requests: 114936, seconds: 2, errors: 0, p50Us: 950, p99Us: 2510, p999Us: 4310 });
});

t.test('socket errors of every kind and bad statuses add up', async (t) => {
  const text = clean.replace(
    'Requests/sec',
    '  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\nRequests/sec',
  );
  t.equal(parseWrk(text).errors, 54_321);
});

t.test('seconds, minutes and hours are understood', async (t) => {
  const text = clean
    .replace('99%    2.51ms', '99%    1.50s ')
    .replace('50%  950.00us', '50%    2.00m')
    .replace('in 2.00s', 'in 1.50m');
  t.match(parseWrk(text), { seconds: 90, p50Us: 120e6 });
  t.equal(parseWrk(clean.replace('99%    2.51ms', '99%    1.50s')).p99Us, 1.5e6);
});

t.test('a run without answers has no percentiles rather than zeros', async (t) => {
  const text = clean.replace(/ {2}Latency Distribution[\s\S]*2\.51ms\n/, '').replace('114936', '0');
  const result = parseWrk(text);
  t.equal(result.requests, 0);
  t.ok(Number.isNaN(result.p50Us));
  t.ok(Number.isNaN(result.p99Us));
});

t.test('text without a total is refused', async (t) => {
  t.throws(
    () => parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n'),
    /printed no total.*refused/,
  );
});

t.test('the command line asks for the distribution', async (t) => {
  t.same(wrkArguments('http://h/', 64, 5, 'wrk.lua').slice(0, 4), ['-t1', '-c64', '-d5s', '--latency']);
});
