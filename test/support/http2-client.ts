/** Whole requests over the HTTP/2 of Node, an implementation that is not ours. */
import { createHash } from 'node:crypto';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';

export interface Asked2 {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | undefined;
  readonly trailers?: OutgoingHttpHeaders;
}

export interface Answered2 {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly interims: readonly number[];
  readonly body: Buffer;
  readonly sha: string;
}

/** A session that is closed by whoever made it; any certificate is good. */
export function http2Session(url: string): ClientHttp2Session {
  const session = connect(url, { rejectUnauthorized: false });
  session.on('error', () => {});
  return session;
}

/** Rejects if the stream is reset, or the session ends before the response is whole. */
export function ask2(session: ClientHttp2Session, asked: Asked2 = {}): Promise<Answered2> {
  const { method = 'GET', target = '/', headers = {}, body, trailers } = asked;
  const stream = session.request(
    { ':method': method, ':path': target, ':authority': 'reviews.example.com', ...headers },
    { endStream: body === undefined, waitForTrailers: trailers !== undefined },
  );
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

export function answerOf(stream: ClientHttp2Stream): Promise<Answered2> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const interims: number[] = [];
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    let isWhole = false;
    stream.on('headers', (interim) => interims.push(Number(interim[':status'])));
    stream.on('continue', () => interims.push(100));
    stream.on('response', (fields) => {
      head = fields;
    });
    stream.on('trailers', (fields) => {
      trailers = fields;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      isWhole = true;
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (!isWhole || stream.rstCode !== 0) {
        reject(new Error(`the stream was reset with ${stream.rstCode}`));
        return;
      }
      const whole = Buffer.concat(pieces);
      const sha = createHash('sha256').update(whole).digest('base64');
      resolve({ status: Number(head[':status']), headers: head, trailers, interims, body: whole, sha });
    });
  });
}
