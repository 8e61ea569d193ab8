// Runs over one engine: asks for the node engine.
/**
 * Any legal head, both ways, through a whole umbra on the node engine: every byte that need not change
 * arrives as it was sent.
 */
import fc from 'fast-check';
import { RawClient, sendCut } from '../support/client.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

/** Names that are about one connection or one message; all others go through. */
const ours = new Set(
  (
    'connection keep-alive proxy-connection te trailer transfer-encoding upgrade host content-length expect date ' +
    'content_length transfer_encoding max-forwards via forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-request-id'
  ).split(' '),
);

const charsOf = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i));
const textOf = (chars: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...chars), { minLength, maxLength }).map((list) => list.join(''));
const visible = [...charsOf(0x21, 0x7e), ...charsOf(0x80, 0xff)];
const token = textOf(
  [..."!#$%&'*+-.^_`|~", ...charsOf(0x30, 0x39), ...charsOf(0x41, 0x5a), ...charsOf(0x61, 0x7a)],
  1,
  20,
);
const blanks = textOf([' ', '\t'], 0, 3);
const value = textOf([...visible, ' ', '\t'], 0, 40);
/** A line without its end. */
const line = fc
  .tuple(
    token.filter((name) => !ours.has(name.toLowerCase())),
    blanks,
    value,
    blanks,
  )
  .map(([name, before, text, after]) => `${name}:${before}${text}${after}`);
const lines = fc.array(line, { maxLength: 12 });
const target = textOf(
  visible.filter((char) => char !== '#'),
  0,
  40,
).map((rest) => `/${rest}`);
const reason = textOf([...visible, ' '], 0, 20);

const withoutEndBlanks = (text: string): string => text.replace(/[ \t]+$/, '');
const joined = (list: readonly string[]): string => list.map((text) => `${text}\r\n`).join('');

t.test('random heads arrive byte for byte', { timeout: 120_000 }, async (t) => {
  let request = '';
  let response = '';
  const v1 = await RawServer.listen(async (peer) => {
    for (;;) {
      const head = await peer.head().catch(() => '');
      if (head === '') return;
      // What umbra adds to say who asked comes after what the client sent.
      request = head.replace(/^(?:x-forwarded-\w+|x-request-id): .*\r\n/gm, '');
      peer.send(response);
    }
  });
  const listen = [{ address: '127.0.0.1:0', engine: 'node', underscores: 'pass' }];
  const umbra = await UmbraProcess.start(reviews(v1.port, null, { umbra: { listen } }));
  let client = await RawClient.connect(umbra.port);
  const property = fc.asyncProperty(
    fc.record({
      method: token.filter((name) => !/^(CONNECT|HEAD|TRACE|OPTIONS)$/.test(name)),
      target,
      fields: lines,
      answer: lines,
      reason,
    }),
    fc.nat(12),
    fc.array(fc.nat(600), { maxLength: 5 }),
    async (head, hostAt, cuts) => {
      if (client.closed) client = await RawClient.connect(umbra.port);
      client.received = '';
      const at = Math.min(hostAt, head.fields.length);
      const text =
        `${head.method} ${head.target} HTTP/1.1\r\n${joined(head.fields.slice(0, at))}Host: h\r\n` +
        `Connection: keep-alive\r\n${joined(head.fields.slice(at))}\r\n`;
      response = `HTTP/1.1 200 ${head.reason}\r\nKeep-Alive: timeout=5\r\n${joined(head.answer)}Date: now\r\nContent-Length: 3\r\n\r\nend`;
      await sendCut(client, text, cuts);
      await client.until(/\r\n\r\nend$/);
      same(request, `${head.method} ${head.target} HTTP/1.1\r\nHost: h\r\n${joined(head.fields)}\r\n`);
      // White space at the end of a line is no part of its value; some of it stays.
      same(
        client.received.split('\r\n').map(withoutEndBlanks),
        `HTTP/1.1 200 ${head.reason}\r\n${joined(head.answer)}Date: now\r\nContent-Length: 3\r\n\r\nend`
          .split('\r\n')
          .map(withoutEndBlanks),
      );
    },
  );
  await fc.assert(property, { numRuns: 400 });
  t.equal((await umbra.atRest()).versions.v1.primary?.failures.protocol ?? 0, 0);
  client.close();
  await umbra.stop();
  await v1.close();
});

function same(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a}\nis not\n${b}`);
}
