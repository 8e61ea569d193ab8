/** A reader of `GET /api/stream` that takes the events apart. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface ServerEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

export class EventReader {
  readonly response: IncomingMessage;
  readonly events: ServerEvent[] = [];
  /** Lines outside of events: comments and `retry`. */
  readonly asides: string[] = [];
  ended = false;
  readonly #request: ClientRequest;
  #rest = '';
  #wake: (() => void)[] = [];

  private constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#request = sent;
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    response.on('error', () => {});
    response.on('close', () => {
      this.ended = true;
      this.#wakeAll();
    });
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const sent = request(`${url}/api/stream`, { headers, agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    sent.on('error', () => {});
    return new EventReader(sent, response);
  }

  /** Resolves with the `count`-th event of this name. */
  async nth(event: string, count: number): Promise<ServerEvent> {
    for (;;) {
      const found = this.events.filter((one) => one.event === event)[count - 1];
      if (found !== undefined) return found;
      if (this.ended) throw new Error(`the stream ended before ${count} ${event}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async end(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  close(): void {
    this.#request.destroy();
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^\w*: /, '')]),
      );
      const event = fields.get('event');
      if (event === undefined) this.asides.push(block);
      else this.events.push({ event, id: fields.get('id') ?? '', data: fields.get('data') ?? '' });
    }
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
