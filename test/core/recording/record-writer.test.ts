import { Framing } from '../../../core/http/message.js';
import { RecordIds } from '../../../core/recording/record-ids.js';
import { RecordWriter } from '../../../core/recording/record-writer.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import type { Copy } from '../../../core/sink/sink.js';
import { copyOf } from '../../support/copies.js';
import t from '../../support/tap.js';

function recordsOf(changes: Partial<Copy>): string[] {
  const copy = copyOf({ method: 'POST', framing: Framing.LENGTH, ...changes });
  const writer = new RecordWriter(new Redactor(redactNothingMore), new RecordIds(Buffer.alloc(16, 7)));
  const records: string[] = [];
  writer.write(copy, '2026-01-31T12:00:00.000000Z', (record) =>
    records.push(Buffer.from(record).toString('latin1')),
  );
  return records;
}

function holds(text: string): Pick<Copy, 'body' | 'bodyBytes'> {
  const body = Buffer.from(text);
  return { body: [body], bodyBytes: body.byteLength };
}

const response = {
  status: 200,
  head: '200 OK\r\nx-a: 1\r\n',
  body: [],
  bodyBytes: 0,
  truncated: false,
  trailers: '',
  messageTimes: '',
  latencyUs: 250,
};

t.test('a secret is hidden wherever in an exchange it stands, in both records', async (t) => {
  const places: Partial<Copy>[] = [
    { target: '/r?token=S3CRET' },
    { target: '/r?t%6fken=S3CRET' },
    { target: 'http://ada:S3CRET@example.com/' },
    { fields: 'cookie: S3CRET\r\n' },
    { fields: 'content-type: application/json\r\n', ...holds('{"a":{"Api-Key":"S3CRET"}}') },
    { framing: Framing.CHUNKED, ...holds('x'), trailers: 'x-token: S3CRET\r\n' },
    { response: { ...response, head: '200 OK\r\nset-cookie: S3CRET\r\n' } },
    { response: { ...response, trailers: 'x-token: S3CRET\r\n' } },
    { response: { ...response, head: '200 OK\r\ncontent-type: text/plain\r\n', ...holds('pin = S3CRET') } },
  ];
  for (const place of places) {
    for (const other of [{}, { response }, { target: '/r?page=1' }]) {
      const records = recordsOf({ ...other, ...place });
      t.notMatch(records.join(''), /S3CRET/);
      t.match(records.join(''), /\[redacted\]/);
    }
  }
});

t.test('a record is as long as it says, rewritten or not', async (t) => {
  for (const body of ['{"a":1}', '{"token":"a long one that becomes shorter"}']) {
    const fields = 'content-type: application/json\r\n';
    for (const record of recordsOf({ fields, ...holds(body), response })) {
      const [, length] = /^Content-Length: (\d+)\r\n/im.exec(record)!;
      const blockStart = record.indexOf('\r\n\r\n') + 4;
      t.equal(record.length, blockStart + Number(length) + 4);
      const [, bodyLength] = /\r\nContent-Length: (\d+)\r\n\r\n/.exec(record.slice(blockStart))!;
      const bodyStart = record.indexOf('\r\n\r\n', blockStart) + 4;
      t.equal(record.length - 4 - bodyStart, Number(bodyLength));
    }
  }
});
