import { get } from 'node:http';
import fc from 'fast-check';
import { RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { read } from './reading.js';

interface Understood {
  status: number;
  reason: string;
  fields: string[];
  body: string;
}

const tokenChars = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split('');
const name = fc
  .array(fc.constantFrom(...tokenChars), { minLength: 1, maxLength: 12 })
  .map((chars) => `x${chars.join('')}`);
const visible = fc.integer({ min: 0x21, max: 0xff }).filter((byte) => byte !== 0x7f);
const text = fc.array(fc.oneof(visible, fc.constant(0x20), fc.constant(0x09)), { maxLength: 20 });
const value = text.map((bytes) => String.fromCharCode(...bytes).replace(/^[ \t]+|[ \t]+$/g, ''));
const reason = fc
  .array(fc.integer({ min: 0x20, max: 0x7e }), { maxLength: 10 })
  .map((b) => String.fromCharCode(...b));
const bytes = fc
  .array(fc.integer({ min: 0, max: 0xff }), { maxLength: 60 })
  .map((b) => String.fromCharCode(...b));
const gap = fc.constantFrom('', ' ', '\t', ' \t ');

const message = fc.record({
  status: fc.constantFrom(200, 201, 206, 301, 404, 418, 500, 503, 599),
  reason,
  fields: fc.array(fc.tuple(name, gap, value, gap), { maxLength: 8 }),
  framing: fc.constantFrom('length', 'chunked', 'close'),
  pieces: fc.array(bytes, { maxLength: 5 }),
  extension: fc.constantFrom('', ';a', ';a=b', ';a="b c"'),
  trailer: fc.constantFrom('', 'T: v\r\n'),
});

/** Node's own parser on a message that is served as raw bytes. */
function byNode(port: number): Promise<Understood> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (data: string) => {
        body += data;
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode!,
          reason: response.statusMessage!,
          fields: response.rawHeaders,
          body,
        });
      });
    }).on('error', reject);
  });
}

function byUs(wire: string, cut: number): Understood {
  const reading = read(wire, [cut]);
  if (reading.fed !== 'WHOLE') throw new Error(`${reading.fed} ${reading.fault}`);
  const [line, ...fields] = reading.head.split('\r\n');
  return {
    status: reading.status,
    reason: line!.slice(4),
    fields: fields.flatMap((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon), field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
    }),
    body: reading.body,
  };
}

t.test("generated valid responses mean to us what they mean to Node's parser", async (t) => {
  let wire = '';
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.fin(wire);
  });
  t.teardown(() => server.close());
  await fc.assert(
    fc.asyncProperty(message, fc.nat(300), async (m, cut) => {
      const body = m.pieces.join('');
      const lines = m.fields.map(([n, before, v, after]) => `${n}:${before}${v}${after}\r\n`).join('');
      const chunk = (piece: string): string => `${piece.length.toString(16)}${m.extension}\r\n${piece}\r\n`;
      const chunks = m.pieces.filter((piece) => piece !== '').map(chunk);
      const framed = {
        length: `Content-Length: ${body.length}\r\n\r\n${body}`,
        chunked: `Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0${m.extension}\r\n${m.trailer}\r\n`,
        close: `\r\n${body}`,
      }[m.framing];
      wire = `HTTP/1.1 ${m.status} ${m.reason}\r\n${lines}${framed}`;
      const node = await byNode(server.port);
      // Framing is ours: the fields that carry it are not passed on.
      const carries = node.fields.findIndex(
        (n, i) => i % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(n),
      );
      if (carries >= 0) node.fields.splice(carries, 2);
      const us = byUs(wire, cut);
      if (JSON.stringify(us) !== JSON.stringify(node)) {
        throw new Error(`${JSON.stringify(us)}\nis not Node's\n${JSON.stringify(node)}`);
      }
    }),
    { numRuns: 300 },
  );
});
