/**
 * A stream of events, a download and an upload that each take as long as is asked, through umbra with default
 * settings and through nginx with its own, at once. They must end alike.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Nginx } from '../support/nginx.js';
import { Origin } from '../support/origin.js';
import { reviews, twoProxies, UmbraProcess } from '../support/umbra.js';

/** How one transfer ended, as its client sees it. */
export interface Ended {
  readonly status: number;
  readonly bytes: number;
  /** The response was received completely. */
  readonly whole: boolean;
}

export interface Transfer {
  readonly name: string;
  readonly umbra: Ended;
  readonly nginx: Ended;
}

const pieceBytes = 64 * 1024;
const piece = Buffer.alloc(pieceBytes, 'x');
const stepMs = 1000;

/** One piece each second, `seconds` times. */
async function* paced(seconds: number, piece: Buffer): AsyncGenerator<Buffer> {
  for (let i = 0; i < seconds; i++) {
    yield piece;
    await sleep(stepMs);
  }
}

function listen(seconds: number): Promise<Origin> {
  return Origin.listen(({ target, bodyBytes }, response) => {
    if (target === '/upload') {
      response.end(`${bodyBytes}`);
      return;
    }
    const isStream = target === '/events';
    if (isStream) response.setHeader('content-type', 'text/event-stream');
    else response.setHeader('content-length', seconds * pieceBytes);
    void (async () => {
      for await (const bytes of paced(seconds, isStream ? Buffer.from('data: tick\n\n') : piece))
        response.write(bytes);
      response.end();
    })();
  });
}

async function transfer(port: number, target: string, body: AsyncIterable<Buffer> | null): Promise<Ended> {
  const call = request({ host: '127.0.0.1', port, path: target, method: body === null ? 'GET' : 'POST' });
  const failed = once(call, 'error').then(() => ({ status: 0, bytes: 0, whole: false }));
  const answered = once(call, 'response').then(async ([response]) => {
    let bytes = 0;
    response.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    response.on('error', () => {});
    await once(response, 'close');
    return { status: response.statusCode as number, bytes, whole: response.complete as boolean };
  });
  if (body !== null) for await (const bytes of body) call.write(bytes);
  call.end();
  return Promise.race([answered, failed]);
}

export async function transfers(seconds: number): Promise<Transfer[]> {
  const origin = await listen(seconds);
  const nginx = await Nginx.startBefore(origin.port);
  const umbra = await UmbraProcess.start(reviews(origin.port, null, { umbra: { threads: twoProxies } }));
  const both = async (name: string, isUpload = false): Promise<Transfer> => {
    const ends = [umbra.port, nginx.port].map((port) =>
      transfer(port, `/${name}`, isUpload ? paced(seconds, piece) : null),
    );
    const [ofUmbra, ofNginx] = await Promise.all(ends);
    return { name, umbra: ofUmbra!, nginx: ofNginx! };
  };
  const done = await Promise.all([both('events'), both('download'), both('upload', true)]);
  await Promise.all([umbra.stop(), nginx.stop(), origin.close()]);
  return done;
}
