import { Framing } from '../../../core/http/message.js';
import { chunkStart, writeRequestHead } from '../../../core/http/request-writer.js';
import { type RequestChanges, requestOf } from '../../support/request.js';
import t from '../../support/tap.js';

function written(changes: RequestChanges): string {
  return writeRequestHead(requestOf(changes));
}

t.test('Host comes right after the request line, the framing after the fields', async (t) => {
  t.equal(
    written({
      method: 'PATCH',
      target: '/a?b=c',
      host: 'h:1',
      fields: 'A: b\r\nA: c\r\n',
      framing: Framing.LENGTH,
      contentLength: 12,
    }),
    'PATCH /a?b=c HTTP/1.1\r\nHost: h:1\r\nA: b\r\nA: c\r\nContent-Length: 12\r\n\r\n',
  );
  t.equal(
    written({ method: 'POST', target: '*', host: '', framing: Framing.CHUNKED }),
    'POST * HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  t.equal(written({ host: 'h' }), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n');
});

t.test('a Content-Length of 0 is said only if the client said it', async (t) => {
  t.match(written({ method: 'POST', lengthZero: true }), /\r\nContent-Length: 0\r\n\r\n$/);
  t.notMatch(written({ method: 'POST', lengthZero: false }), /Content-Length/);
});

t.test('chunk sizes are hexadecimal', async (t) => {
  t.equal(chunkStart(1), '1\r\n');
  t.equal(chunkStart(65_535), 'ffff\r\n');
});
