import { asksForLogin, carriesLogin } from '../../../core/http/connection-login.js';
import { ResponseHead } from '../../../core/http/response-head.js';
import { scanHead } from '../../../core/http/response-head-scanner.js';
import { Scan } from '../../../core/http/scan.js';
import t from '../../support/tap.js';

t.test('NTLM and Negotiate are logins of a connection, others are of a request', async (t) => {
  for (const line of [
    'Authorization: NTLM TlRMTVNTUAAB',
    'authorization: negotiate YII=',
    'Authorization:  Negotiate',
    'Accept: */*\r\nAuthorization: ntlm x',
    'X-Authorization: Basic a\r\nAuthorization: NTLM x',
  ]) {
    t.ok(carriesLogin(`${line}\r\n`), line);
  }
  for (const line of [
    'Accept: */*',
    'Authorization: Basic TlRMTQ==',
    'Authorization: NTLMx y',
    'X: NTLM y',
    '',
  ]) {
    t.notOk(carriesLogin(`${line}\r\n`), line);
  }
});

t.test('a 401 or 407 that asks for one is found among other challenges', async (t) => {
  const asks = (status: number, line: string): boolean => {
    const bytes = Buffer.from(`HTTP/1.1 ${status} X\r\nServer: x\r\n${line}\r\n\r\n`, 'latin1');
    const head = new ResponseHead();
    head.begin(bytes, 0);
    t.equal(scanHead(head, bytes.length), Scan.DONE);
    return asksForLogin(head);
  };
  t.ok(asks(401, 'WWW-Authenticate: Negotiate'));
  t.ok(asks(401, 'www-authenticate: NTLM TlRMTVNTUAAC'));
  t.ok(asks(401, 'WWW-Authenticate: Basic realm="a", NTLM'));
  t.ok(asks(401, 'WWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: NTLM'));
  t.ok(asks(407, 'Proxy-Authenticate: Negotiate'));
  t.notOk(asks(401, 'WWW-Authenticate: Basic realm="NTLM"'));
  t.notOk(asks(401, 'WWW-Authenticate: Bearer'));
  t.notOk(asks(200, 'WWW-Authenticate: NTLM'));
});
