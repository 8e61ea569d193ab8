/**
 * Any bytes in any cuts: what comes back is whole answers in order or a close, and no request is left behind.
 */
import fc from 'fast-check';
import { sendCut } from '../../../support/client.js';
import t from '../../../support/tap.js';
import { reply } from '../uws/rig.js';
import { NodeRig } from './rig.js';

const host = 'Host: h\r\n';
/** Mostly requests that are right, so that the bytes after them matter. */
const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      `GET /a HTTP/1.1\r\n${host}\r\n`,
      `POST /b HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
      `POST /c HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n`,
      `HEAD /d HTTP/1.1\r\n${host}\r\n`,
      `POST /e HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
      `GET /f HTTP/1.0\r\n${host}Connection: keep-alive\r\n\r\n`,
      '\r\n',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      `GET /g HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      `GET /h HTTP/1.1\r\n${host}x : y\r\n\r\n`,
      `POST /i HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      'GET /unfinished HTT',
      `POST /j HTTP/1.1\r\n${host}Content-Length: 50\r\n\r\nshort`,
      '\0\x16\x03\x01',
    ),
  },
);

/** How the proxy answers: at once, when the body is whole, or in a later turn. */
const manner = fc.constantFrom('now', 'whole', 'later', 'cut');

t.test('whatever comes, in whatever cuts, each request has one end', { timeout: 60_000 }, async (t) => {
  const rig = await NodeRig.start(t, () => {});
  const property = fc.asyncProperty(
    fc.array(piece, { minLength: 1, maxLength: 8 }),
    fc.array(fc.nat({ max: 400 }), { maxLength: 6 }),
    fc.array(manner, { minLength: 1, maxLength: 8 }),
    fc.boolean(),
    async (pieces, cuts, manners, resets) => {
      rig.seen.length = 0;
      let answered = 0;
      rig.onSeen = (seen) => {
        const index = rig.seen.length - 1;
        const how = manners[index % manners.length];
        const answer = (): void => {
          if (seen.aborted > 0) return;
          answered++;
          if (how === 'cut' && index > 0) seen.responder.cut();
          else if (seen.method === 'HEAD') seen.responder.answer(200, 'x');
          else reply(seen.responder, `<${seen.target}>`);
        };
        if (how === 'now') answer();
        else if (seen.framing === 0) setImmediate(answer);
        else seen.onPiece = (_piece, last) => last && (how === 'later' ? setImmediate(answer) : answer());
      };
      const text = pieces.join('');
      const client = rig.connect();
      await new Promise((resolve) => client.socket.once('connect', resolve));
      await sendCut(client, text, cuts);
      if (resets) client.socket.resetAndDestroy();
      else client.socket.end();
      const received = await client.closed();
      await rig.until(() => rig.downstream.connections() === 0);
      if (rig.downstream.active() !== 0) throw new Error(`${rig.downstream.active()} requests are left`);
      const aborted = rig.seen.filter((seen) => seen.aborted > 0).length;
      if (answered + aborted < rig.seen.length)
        throw new Error(`${rig.seen.length} seen, ${answered}+${aborted} ended`);
      if (rig.seen.some((seen) => seen.aborted > 1)) throw new Error('aborted twice');
      const targets = [...received.matchAll(/<(\/\w)>/g)].map((match) => match[1]);
      const seen = rig.seen.filter(({ method }) => method !== 'HEAD').map(({ target }) => target);
      if (!seen.join().startsWith(targets.join()))
        throw new Error(`answers out of order: ${targets.join()} of ${seen.join()}`);
    },
  );
  await fc.assert(property, { numRuns: 2000 });
  t.equal(rig.counts.accepted, rig.counts.closed);
});
