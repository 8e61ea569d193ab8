// Runs over one engine: asks for both engines.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { engines } from '../support/engines.js';
import { serveFiles } from '../support/files.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type Answer, fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import { certificatePem, keyPem } from '../workers/downstream/uws/certificate.js';
import { bodyOf } from './mixed.js';

const kinds = 10;
const assets = 5 * kinds;
/** A transparent image of one pixel. */
const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const data = bodyOf(4, 300_000);
const numbers = Array.from({ length: kinds }, (_, index) => index);

/** Looks at everything that it loaded, and resolves `seenAll` with what it saw. */
const page = `<!doctype html><meta charset="utf-8"><title>assets</title>
<link rel="icon" href="data:,">
${numbers.map((i) => `<link rel="stylesheet" href="style-${i}.css"><script src="script-${i}.js"></script>`).join('\n')}
${numbers.map((i) => `<p id="p${i}">${i}</p><img src="image-${i}.gif"><img src="other-${i}.gif">`).join('\n')}
<script>
window.seenAll = new Promise((resolve) => addEventListener('load', async () => {
  const sum = (bytes) => new Uint8Array(bytes).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
  const datas = await Promise.all(${JSON.stringify(numbers)}.map((i) =>
    fetch('data-' + i + '.bin', { cache: 'no-cache' }).then((response) => response.arrayBuffer())));
  const posted = await fetch('upload', { method: 'POST', body: datas[0] }).then((response) => response.text());
  resolve({
    scripts: window.ran.length,
    images: [...document.images].filter((image) => image.naturalWidth === 1).length,
    styles: [...document.querySelectorAll('p')].filter((p, i) => getComputedStyle(p).order === String(i + 1)).length,
    datas: datas.filter((bytes) => sum(bytes) === ${sumOf(data)}).length,
    posted,
  });
}));
</script>`;

function sumOf(bytes: Buffer): number {
  return bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7);
}

function site(): Answer {
  const files: Record<string, Buffer> = { 'index.html': Buffer.from(page) };
  for (const i of numbers) {
    files[`style-${i}.css`] = Buffer.from(`#p${i} { order: ${i + 1} }`);
    files[`script-${i}.js`] = Buffer.from(`(window.ran ??= []).push(${i});`.padEnd(20_000, ' '));
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

/** Where the browser is; null without one. */
function browserPath(): string | null {
  try {
    return execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

t.test(
  `a browser loads a page with ${assets} assets and, with its cache full, once more`,
  { skip: browserPath() === null && 'chromium is not installed' },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-browser-'));
    const tls = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    writeFileSync(tls.cert, certificatePem);
    writeFileSync(tls.key, keyPem);
    const [v1, v2] = [await Origin.listen(site()), await Origin.listen(site())];
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { inFlight: 4096 },
        umbra: {
          listen: engines.flatMap((engine) => [
            { address: '127.0.0.1:0', engine },
            { address: '127.0.0.1:0', engine, tls },
          ]),
        },
      }),
    );
    t.teardown(async () => {
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
      rmSync(directory, { recursive: true, force: true });
    });
    const browser = await chromium.launch({ executablePath: browserPath()!, args: ['--no-sandbox'] });
    t.teardown(() => browser.close());
    for (const url of (/listen=(\S+)/.exec(umbra.out)?.[1] ?? '').split(',')) {
      const begin = v1.received.length;
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const tab = await context.newPage();
      const troubles: string[] = [];
      tab.on('requestfailed', (request) =>
        troubles.push(`${request.url()}: ${request.failure()?.errorText}`),
      );
      tab.on('pageerror', (error) => troubles.push(error.message));
      for (const visit of ['goto', 'reload'] as const) {
        await tab[visit](`${url}/index.html`);
        const seen: unknown = await tab.evaluate('seenAll');
        const upload = v1.received.findLast(({ target }) => target === '/upload');
        t.equal(upload?.bodyBytes, data.length);
        t.strictSame(
          seen,
          { scripts: kinds, images: 2 * kinds, styles: kinds, datas: kinds, posted: upload?.bodySha },
          `${visit} ${url}`,
        );
      }
      t.strictSame(troubles, []);
      const gets = v1.received.slice(begin).filter(({ method }) => method === 'GET');
      t.ok(gets.length > assets, `${gets.length} requests`);
      t.ok(
        gets.some((received) => fieldOf(received, 'if-none-match') !== null),
        'the second visit asked whether things had changed',
      );
      await context.close();
    }
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, v1.received.length);
    t.equal(v2.received.length, v1.received.length);
  },
);
