import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { missing } from '../support/command.js';
import { serveFiles } from '../support/files.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type Answer, Origin } from '../support/origin.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';
import { certificatePem, keyPem } from '../workers/downstream/uws/certificate.js';
import { bodyOf } from './mixed.js';

const kinds = 10;
const assets = 5 * kinds;
/** A transparent image of one pixel. */
const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const data = bodyOf(4, 300_000);
const numbers = Array.from({ length: kinds }, (_, index) => index);

/** Looks at everything that it loaded, tells what it saw, and then loads itself once more, with a full cache. */
const page = `<!doctype html><meta charset="utf-8"><title>assets</title>
<link rel="icon" href="data:,">
${numbers.map((i) => `<link rel="stylesheet" href="style-${i}.css"><script src="script-${i}.js"></script>`).join('\n')}
${numbers.map((i) => `<p id="p${i}">${i}</p><img src="image-${i}.gif"><img src="other-${i}.gif">`).join('\n')}
<script>
addEventListener('load', async () => {
  const sum = (bytes) => new Uint8Array(bytes).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
  const datas = await Promise.all(${JSON.stringify(numbers)}.map((i) =>
    fetch('data-' + i + '.bin', { cache: 'no-cache' }).then((response) => response.arrayBuffer())));
  const posted = await fetch('upload', { method: 'POST', body: datas[0] }).then((response) => response.text());
  const visit = Number(sessionStorage.visit ?? 0) + 1;
  await fetch('result?' + new URLSearchParams({
    visit,
    scripts: window.seen.length,
    images: [...document.images].filter((image) => image.naturalWidth === 1).length,
    styles: [...document.querySelectorAll('p')].filter((p, i) => getComputedStyle(p).order === String(i + 1)).length,
    datas: datas.filter((bytes) => sum(bytes) === ${sumOf(data)}).length,
    posted,
  }));
  sessionStorage.visit = visit;
  if (visit === 1) location.reload();
});
</script>`;

function sumOf(bytes: Buffer): number {
  return bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7);
}

function site(): Answer {
  const files: Record<string, Buffer> = { 'index.html': Buffer.from(page) };
  for (const i of numbers) {
    files[`style-${i}.css`] = Buffer.from(`#p${i} { order: ${i + 1} }`);
    files[`script-${i}.js`] = Buffer.from(`(window.seen ??= []).push(${i});`.padEnd(20_000, ' '));
    files[`image-${i}.gif`] = pixel;
    files[`other-${i}.gif`] = pixel;
    files[`data-${i}.bin`] = data;
  }
  const serve = serveFiles(files);
  const types: Record<string, string> = {
    html: 'text/html',
    css: 'text/css',
    js: 'text/javascript',
    gif: 'image/gif',
  };
  return (received, response, request) => {
    const extension = received.target.split('?')[0].split('.')[1];
    response.setHeader('cache-control', 'no-cache');
    if (types[extension] !== undefined) response.setHeader('content-type', types[extension]);
    serve(received, response, request);
  };
}

/** A headless browser at `url`, with a profile of its own. */
function browse(url: string, profile: string): ChildProcess {
  const words = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
    '--no-proxy-server',
    '--ignore-certificate-errors',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    url,
  ];
  const child = spawn('chromium', words, {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, HOME: profile },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

t.test(
  `a browser loads a page with ${assets} assets and, with its cache full, once more`,
  { skip: missing('chromium') },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-browser-'));
    const tls = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    writeFileSync(tls.cert, certificatePem);
    writeFileSync(tls.key, keyPem);
    const [v1, v2] = [await Origin.listen(site()), await Origin.listen(site())];
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { inFlight: 4096 },
        umbra: { listen: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls }] },
      }),
    );
    t.teardown(async () => {
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
      // What the browser started may still be tidying up.
      rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
    });
    for (const url of (/listen=(\S+)/.exec(umbra.out)?.[1] ?? '').split(',')) {
      const begin = v1.received.length;
      const results = (): URLSearchParams[] =>
        v1.received
          .slice(begin)
          .filter(({ target }) => target.startsWith('/result?'))
          .map(({ target }) => new URL(target, url).searchParams);
      const chromium = browse(`${url}/index.html`, join(directory, new URL(url).protocol.slice(0, -1)));
      const ended = once(chromium, 'exit');
      await until(() => results().length === 2, 'the browser told of two visits');
      chromium.kill();
      await ended;
      const upload = v1.received.slice(begin).find(({ target }) => target === '/upload');
      for (const [index, result] of results().entries()) {
        t.strictSame(Object.fromEntries(result), {
          visit: String(index + 1),
          scripts: String(kinds),
          images: String(2 * kinds),
          styles: String(kinds),
          datas: String(kinds),
          posted: upload?.bodySha,
        });
      }
      t.equal(upload?.bodyBytes, data.length);
      const asked = v1.received
        .slice(begin)
        .filter(({ method, target }) => method === 'GET' && !target.startsWith('/result'));
      t.ok(asked.length > assets, `${url}: ${asked.length} requests`);
      t.ok(
        asked.some(({ fields }) => fields.some(([name]) => name === 'if-none-match')),
        'the second visit asked whether things had changed',
      );
    }
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, v1.received.length);
    t.equal(v2.received.length, v1.received.length);
  },
);
