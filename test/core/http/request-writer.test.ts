import t from 'tap';
import { Framing } from '../../../core/http/message.js';
import { chunkStart, writeRequestHead } from '../../../core/http/request-writer.js';

t.test('Host comes right after the request line, the framing after the fields', async (t) => {
  t.equal(
    writeRequestHead('PATCH', '/a?b=c', 'h:1', 'A: b\r\nA: c\r\n', Framing.LENGTH, 12),
    'PATCH /a?b=c HTTP/1.1\r\nHost: h:1\r\nA: b\r\nA: c\r\nContent-Length: 12\r\n\r\n',
  );
  t.equal(
    writeRequestHead('POST', '*', '', '', Framing.CHUNKED, 0),
    'POST * HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  t.equal(writeRequestHead('GET', '/', 'h', '', Framing.NONE, 0), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n');
});

t.test('a Content-Length of 0 is said only if the client said it', async (t) => {
  t.match(writeRequestHead('POST', '/', 'h', '', Framing.NONE, 0, true), /\r\nContent-Length: 0\r\n\r\n$/);
  t.notMatch(writeRequestHead('POST', '/', 'h', '', Framing.NONE, 0, false), /Content-Length/);
});

t.test('chunk sizes are hexadecimal', async (t) => {
  t.equal(chunkStart(1), '1\r\n');
  t.equal(chunkStart(65_535), 'ffff\r\n');
});
