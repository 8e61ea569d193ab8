import { mkdirSync, mkdtempSync, readdirSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Timeline } from '../../../core/recording/timeline.js';
import { openRecordings } from '../../../workers/replay/recording-file.js';
import t from '../../support/tap.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-files-'));
t.teardown(() => rmSync(directory, { recursive: true }));

const goReplay = ['/g/0', '/g/1']
  .map(
    (target, i) => `1 aa${i} 180000000000000000${i} 0\nGET ${target} HTTP/1.1\r\nHost: x\r\n\r\n\n🐵🙈🙉\n`,
  )
  .join('');
const warc = ['/w/0', '/w/1']
  .map((target) => {
    const block = `GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`;
    return `WARC/1.0\r\nWARC-Type: request\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Record-ID: <${target}>\r\nContent-Type: application/http\r\nContent-Length: ${block.length}\r\n\r\n${block}\r\n\r\n`;
  })
  .join('');
const har = JSON.stringify({
  log: {
    entries: [
      {
        startedDateTime: '2026-01-01T00:00:00Z',
        request: { method: 'GET', url: 'http://a/h/0', headers: [] },
      },
      { request: { method: 'GET', url: 'about:blank' } },
    ],
  },
});

async function targetsIn(...paths: string[]): Promise<{ targets: string[]; skipped: string[] }> {
  const skipped: string[] = [];
  const files = await openRecordings(paths, (_path, { offset, reason }) =>
    skipped.push(`${offset}: ${reason}`),
  );
  const timeline = new Timeline(
    files.map(({ path, descriptor }) => ({
      path,
      readAt: (into, position) => readSync(descriptor, into, 0, into.byteLength, position),
    })),
  );
  for (const found of timeline.index()) if (found !== null) skipped.push(found.skipped.reason);
  const targets = [...timeline.exchanges()].map(({ request }) => request.target).sort();
  for (const file of files) file.close();
  return { targets, skipped };
}

function write(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

t.test('files that are gzipped as a whole are read as they are unpacked', async (t) => {
  t.strictSame(await targetsIn(write('a.gor.gz', gzipSync(goReplay))), {
    targets: ['/g/0', '/g/1'],
    skipped: [],
  });
  t.strictSame(await targetsIn(write('b.warc.gz', gzipSync(warc))), {
    targets: ['/w/0', '/w/1'],
    skipped: [],
  });
  const { targets } = await targetsIn(write('c.har.gz', gzipSync(har)));
  t.strictSame(targets, ['/h/0']);
});

t.test('a file that is gzipped as a whole and cut off is played as far as it goes', async (t) => {
  const many = Array.from({ length: 300 }, (_, i) =>
    goReplay.replaceAll('/g/', `/g/${i}/${Math.sqrt(i)}/`),
  ).join('');
  const whole = gzipSync(many);
  const { targets, skipped } = await targetsIn(write('cut.gor.gz', whole.subarray(0, whole.byteLength / 2)));
  t.ok(targets.length > 100 && targets.length < 500, `${targets.length}`);
  t.ok(skipped.length <= 1);
});

t.test('a HAR is played, and what it can not play is named', async (t) => {
  t.strictSame(await targetsIn(write('d.har', `\uFEFF${har}`)), {
    targets: ['/h/0'],
    skipped: ['1: not a request over HTTP'],
  });
});

t.test('a directory stands for the recordings in it', async (t) => {
  const inside = join(directory, 'inside');
  mkdirSync(inside);
  writeFileSync(join(inside, 'x.gor'), goReplay);
  writeFileSync(join(inside, 'y.warc.gz.open'), gzipSync(warc));
  writeFileSync(join(inside, 'README.md'), 'not a recording');
  t.strictSame((await targetsIn(inside)).targets, ['/g/0', '/g/1', '/w/0', '/w/1']);
  const empty = join(directory, 'empty');
  mkdirSync(empty);
  await t.rejects(targetsIn(empty), /there is no recording in this directory/);
});

t.test('no temporary file is left behind', async (t) => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('umbra-unpacked-'));
  await targetsIn(write('e.gor.gz', gzipSync(goReplay)));
  const damaged = gzipSync(goReplay.repeat(2000));
  damaged.fill(0xff, 200, 300);
  await targetsIn(write('f.gor.gz', damaged)).catch(() => {});
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith('umbra-unpacked-'));
  t.ok(after.every((name) => before.includes(name)));
});

t.test('what is no file is refused with its name', async (t) => {
  await t.rejects(targetsIn(join(directory, 'none.warc')), /can't read .*none\.warc: ENOENT/);
  await t.rejects(targetsIn('/dev/null'), /can't read \/dev\/null: it is not a file/);
});
