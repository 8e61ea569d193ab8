import { keepAliveSeconds } from '../../../core/http/keep-alive.js';
import { ResponseHead } from '../../../core/http/response-head.js';
import { scanHead } from '../../../core/http/response-head-scanner.js';
import { Scan } from '../../../core/http/scan.js';
import t from '../../support/tap.js';

function secondsOf(line: string): number {
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nServer: x\r\n${line}\r\n`, 'latin1');
  const head = new ResponseHead();
  head.begin(bytes, 0);
  t.equal(scanHead(head, bytes.length), Scan.DONE);
  return keepAliveSeconds(head);
}

t.test('the timeout of Keep-Alive is read wherever it stands', async (t) => {
  const cases: [string, number][] = [
    ['Keep-Alive: timeout=5\r\n', 5],
    ['keep-alive: max=100, TIMEOUT=72\r\n', 72],
    ['Keep-Alive: timeout = 7,max=1\r\n', 7],
    ['Keep-Alive: timeout=0\r\n', 0],
    ['Keep-Alive: timeout=5s\r\n', 5],
    ['Keep-Alive: timeout=12345678\r\n', 12_345_678],
  ];
  for (const [line, seconds] of cases) t.equal(secondsOf(line), seconds, line);
});

t.test('anything else says nothing', async (t) => {
  const lines = [
    '',
    'Keep-Alive:\r\n',
    'Keep-Alive: timeout\r\n',
    'Keep-Alive: timeout=\r\n',
    'Keep-Alive: timeout=x\r\n',
    'Keep-Alive: timeout=-1\r\n',
    'Keep-Alive: timeout=123456789\r\n',
    'Keep-Alive: mytimeout=5\r\n',
    'Keep-Alive: timeouts=5\r\n',
    'Keep-Alive: max=100\r\n',
    'X-Keep-Alive: timeout=5\r\n',
  ];
  for (const line of lines) t.equal(secondsOf(line), -1, line);
});
