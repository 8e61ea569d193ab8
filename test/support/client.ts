/** Clients for the tests: one that makes whole requests over kept connections, one that writes bytes. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { fieldsOf } from './origin.js';

const patienceMs = 10_000;

export interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | null;
  /** Sends the body in chunks of this size; null: with Content-Length. */
  readonly chunkBytes?: number | null;
  readonly agent?: Agent;
}

export interface Answered {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly sha: string;
}

/** Rejects if the connection fails or the response is cut short. */
export function ask(port: number, asked: Asked = {}): Promise<Answered> {
  const { method = 'GET', target = '/', headers = {}, body = null, chunkBytes = null, agent } = asked;
  return new Promise((resolve, reject) => {
    const call = request({
      host: '127.0.0.1',
      port,
      method,
      path: target,
      headers: {
        host: 'reviews.example.com',
        ...headers,
        ...(body !== null && chunkBytes === null ? { 'content-length': body.length } : {}),
        ...(body !== null && chunkBytes !== null ? { 'transfer-encoding': 'chunked' } : {}),
      },
      agent: agent ?? false,
    });
    call.on('error', reject);
    call.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(pieces);
        resolve({
          status: response.statusCode!,
          fields: fieldsOf(response.rawHeaders),
          body: whole,
          sha: createHash('sha256').update(whole).digest('base64'),
        });
      });
    });
    if (body !== null && chunkBytes !== null) {
      for (let from = 0; from < body.length; from += chunkBytes)
        call.write(body.subarray(from, from + chunkBytes));
    } else if (body !== null) {
      call.write(body);
    }
    call.end();
  });
}

/** Makes `count` requests, `concurrency` at a time over as many kept connections; `asked` gives each. */
export async function askMany<T = Answered>(
  port: number,
  count: number,
  concurrency: number,
  asked: (index: number) => Asked,
  onAnswer: (answer: Answered, index: number) => T = (answer) => answer as T,
): Promise<T[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const answers: T[] = new Array(count);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      answers[index] = onAnswer(await ask(port, { agent, ...asked(index) }), index);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, worker));
  } finally {
    agent.destroy();
  }
  return answers;
}

/** A client that does not close its side when the server does, and what it has received. */
export async function halfOpenClient(port: number): Promise<{ client: Socket; received: () => string }> {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => {});
  await once(client, 'connect');
  let received = '';
  client.on('data', (data) => {
    received += data.toString('latin1');
  });
  return { client, received: () => received };
}

/** Sends `text` in pieces that end at `cuts`, each in a turn of the loop of its own. */
export async function sendCut(
  client: { send(piece: string): void },
  text: string,
  cuts: readonly number[],
): Promise<void> {
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), text.length]) {
    if (cut <= from || cut > text.length) continue;
    client.send(text.slice(from, cut));
    from = cut;
    await new Promise(setImmediate);
  }
}

/** A connection on which a test writes and reads bytes. */
export class RawClient {
  readonly socket: Socket;
  /** All that came, one char per byte. */
  received = '';
  closed = false;
  /** The connection ended with an error, such as a reset. */
  failed = false;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      this.received += data.toString('latin1');
      this.#wakeAll();
    });
    socket.on('error', () => {
      this.failed = true;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wakeAll();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves when this has come; rejects if the connection ends before, or if it takes too long. */
  async until(mark: string | RegExp): Promise<void> {
    while (typeof mark === 'string' ? !this.received.includes(mark) : !mark.test(this.received)) {
      if (this.closed) {
        throw new Error(`the connection ended before ${mark}; there was ${JSON.stringify(this.received)}`);
      }
      await this.more();
    }
  }

  /** Resolves when something more has come or the connection is closed; rejects if that takes too long. */
  more(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`timed out waiting for bytes; there was ${JSON.stringify(this.received)}`)),
        patienceMs,
      );
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Resolves with all that came when the connection is closed. */
  async end(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
