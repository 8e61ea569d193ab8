// Runs over one engine: recordings are written and played behind the engines.
/** Recordings as other tools see them, and recordings of other tools as umbra sees them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { missing, runWell } from '../support/command.js';
import { runHere } from '../support/here.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { segmentsIn } from '../support/recorded.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import { checkByWarcio, missingWarcio, recordsByWarcio, writeByWarcio } from '../support/warcio.js';

const v1 = await Origin.listen((received, response) => void response.end(`answer to ${received.target}`));
const v2 = await Origin.listen((received, response) => void response.end(`answer to ${received.target}`));
const directory = mkdtempSync(join(tmpdir(), 'umbra-foreign-'));
const replayed = ['--to', `http://127.0.0.1:${v2.port}`, '--speed', 'max'];
t.teardown(async () => {
  rmSync(directory, { recursive: true, force: true });
  await Promise.all([v1.close(), v2.close()]);
});

function asked(origin: Origin): string[] {
  return origin.received.map(({ method, target, bodySha }) => `${method} ${target} ${bodySha}`).sort();
}

const noWarcio = missingWarcio();

t.test('warcio reads every record, and its check finds nothing', { skip: noWarcio }, async (t) => {
  for (const compress of [true, false]) {
    v1.received.length = 0;
    const path = join(directory, `compress-${compress}`);
    const mirrors = [{ to: `file:${path}`, recording: { responses: true, compress } }];
    const umbra = await UmbraProcess.start(reviews(v1.port, null, { route: { mirrors } }));
    for (let i = 0; i < 24; i++) {
      // Of all framings, and beyond what is compressed by umbra itself.
      const body = i % 2 === 0 ? null : Buffer.alloc(1 + i * 3000, `${i} é `);
      const chunkBytes = i % 4 === 1 ? 1000 : null;
      await ask(umbra.port, { method: body === null ? 'GET' : 'PUT', target: `/r/${i}`, body, chunkBytes });
    }
    await lawHolds(t, umbra);
    await umbra.stop();
    const [file] = segmentsIn(path);
    const records = await recordsByWarcio(join(path, file));
    t.strictSame(new Set(records.map(({ format }) => format)), new Set(['WARC/1.1']));
    t.equal(records.filter(({ type }) => type === 'warcinfo').length, 1);
    const requests = records.filter(({ type }) => type === 'request');
    t.strictSame(
      requests.map(({ start, bodySha }) => `${start!.replace(/ HTTP\/1\.1$/, '')} ${bodySha}`).sort(),
      asked(v1),
    );
    const responses = new Map(
      records.filter(({ type }) => type === 'response').map((record) => [record.id, record]),
    );
    for (const { id, concurrentTo, uri, date } of requests) {
      const response = responses.get(concurrentTo!)!;
      t.strictSame([response.concurrentTo, response.uri, response.date], [id, uri, date]);
      t.equal(response.start, 'HTTP/1.1 200 OK');
    }
    await checkByWarcio(join(path, file));
  }
});

t.test('what warcio writes is played, and compared with its responses', { skip: noWarcio }, async (t) => {
  for (const format of ['WARC/1.0', 'WARC/1.1']) {
    for (const gzip of [true, false]) {
      v2.received.length = 0;
      const path = join(directory, `${gzip ? 'gzip' : 'plain'}-${format.replace('/', '-')}.warc`);
      await writeByWarcio(path, format, gzip);
      const { code, out, err } = await runHere('replay', path, ...replayed);
      t.equal(code, 0);
      t.strictSame(v2.received.map(({ method, target }) => `${method} ${target}`).sort(), [
        'GET /page/0',
        'GET /page/2',
        'GET /page/4',
        'POST /page/1',
        'POST /page/3',
      ]);
      t.match(err, new RegExp(`^${path}:\\d+: skipped: not a request that can be sent: \\S+\n$`));
      t.match(out, /5 (of 5 )?.*(paired|pairs|compared)|compared.*5/i, 'with five responses');
    }
  }
});

t.test('what wget writes is played', { skip: missing('wget') }, async (t) => {
  v1.received.length = 0;
  v2.received.length = 0;
  const name = join(directory, 'wget');
  const urls = Array.from({ length: 6 }, (_, i) => `http://127.0.0.1:${v1.port}/w/${i}`);
  await runWell('wget', ['-q', '-O', '/dev/null', `--warc-file=${name}`, ...urls]);
  const { code, out, err } = await runHere('replay', `${name}.warc.gz`, ...replayed);
  t.strictSame([code, err], [0, '']);
  t.strictSame(asked(v2), asked(v1));
  t.match(out, /played 6 requests/);
});

t.test(
  'a foreign file that is damaged costs what is damaged, reported with its place',
  { skip: noWarcio },
  async (t) => {
    v2.received.length = 0;
    const path = join(directory, 'foreign-damaged.warc');
    await writeByWarcio(path, 'WARC/1.0', true);
    const bytes = readFileSync(path);
    // The second member: a response, behind the record about the file.
    const second = bytes.indexOf(Buffer.from([0x1f, 0x8b, 8]), 1);
    bytes[second + 60] ^= 0xff;
    writeFileSync(path, bytes.subarray(0, bytes.byteLength - 30));
    const { code, err } = await runHere('replay', path, ...replayed);
    t.equal(code, 0);
    t.match(err, new RegExp(`^${path}:${second}: skipped: damaged`));
    t.match(err, new RegExp(`^${path}:\\d+: skipped: cut off$`, 'm'));
    t.equal(v2.received.length, 5);
  },
);
