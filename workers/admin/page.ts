/**
 * The live page at `GET /`: static files of workers/dashboard and uPlot, read once. Their data come from the
 * API, so the files are the same for everybody and need no token.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type { Context, Hono } from 'hono';
import { packageFile } from '../../config/package-file.js';

/** TypeScript does not copy these files, so they are found from the compiled code. */
const directory = packageFile('workers/dashboard/');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Only umbra's own files, no inline code, and no markup from text (Trusted Types), so that a string from a
 * service is always shown as text.
 */
const headers = {
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
};

interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

/**
 * `addPage` reports the reason if the installation is incomplete. The rest of umbra does not depend on the
 * page.
 */
export function addPage(app: Hono): void {
  let files: Map<string, PageFile>;
  try {
    files = readFiles();
  } catch (error) {
    const [reason] = String((error as Error).message).split('\n');
    app.get('/', (c) => c.text(`the live page is not installed: ${reason}\n`, 503));
    app.get('/dashboard/:name', (c) => c.notFound());
    return;
  }
  app.get('/', (c) => answer(c, files.get('index.html')!));
  app.get('/dashboard/:name', (c) => {
    const file = files.get(c.req.param('name'));
    return file === undefined ? c.notFound() : answer(c, file);
  });
}

function answer(c: Context, { body, type, etag }: PageFile): Response {
  const fields = { ...headers, etag };
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, fields);
  return c.body(body, 200, { ...fields, 'content-type': type });
}

function readFiles(): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(directory)) files.set(name, fileOf(name, new URL(name, directory)));
  const { resolve } = createRequire(import.meta.url);
  files.set('uplot.js', fileOf('uplot.js', resolve('uplot/dist/uPlot.esm.js')));
  files.set('uplot.css', fileOf('uplot.css', resolve('uplot/dist/uPlot.min.css')));
  return files;
}

function fileOf(name: string, path: string | URL): PageFile {
  const body = new Uint8Array(readFileSync(path));
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, type: types[extname(name)] ?? 'application/octet-stream', etag };
}
