/** A version that serves files as a static server does: ranges, validators, HEAD; and takes uploads. */
import { createHash } from 'node:crypto';
import type { Answer } from './origin.js';

const rangeValue = /^bytes=(\d+)-(\d*)$/;

/** Other methods than GET and HEAD are answered with the digest of their body. */
export function serveFiles(files: Readonly<Record<string, Buffer>>): Answer {
  return (received, response) => {
    if (received.method !== 'GET' && received.method !== 'HEAD') {
      response.end(received.bodySha);
      return;
    }
    const file = files[received.target.slice(1)];
    if (file === undefined) {
      response.writeHead(404, { 'content-length': 0 }).end();
      return;
    }
    const field = (name: string): string => received.fields.find((one) => one[0] === name)?.[1] ?? '';
    const etag = `"${createHash('sha256').update(file).digest('hex').slice(0, 16)}"`;
    response.setHeader('etag', etag);
    response.setHeader('accept-ranges', 'bytes');
    if (field('if-none-match') === etag) {
      response.writeHead(304).end();
      return;
    }
    const range = rangeValue.exec(field('range'));
    if (range === null) {
      response.writeHead(200, { 'content-length': file.length }).end(file);
      return;
    }
    const from = Number(range[1]);
    const to = range[2] === '' ? file.length - 1 : Math.min(Number(range[2]), file.length - 1);
    if (from > to) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}`, 'content-length': 0 }).end();
      return;
    }
    response
      .writeHead(206, {
        'content-range': `bytes ${from}-${to}/${file.length}`,
        'content-length': to - from + 1,
      })
      .end(file.subarray(from, to + 1));
  };
}
