/** The two origins of a run, one for the primary and one for the shadow, each in a process of its own. */
import { setPriority } from 'node:os';
import { beside, Child, nextMessage } from './child.js';

/**
 * `slow` answers after a second, `hanging` never, `resetting` resets on the first byte, `refusing` has closed
 * its port, `flooding` answers with 10 MB.
 */
export type OriginMode = 'answering' | 'slow' | 'refusing' | 'hanging' | 'resetting' | 'flooding';

/**
 * `json` differs between the two origins in one member; `megabyte` is 1,000,000 bytes of text, the others
 * 295.
 */
export type OriginBody = 'text' | 'json' | 'megabyte';

export type OriginAsk = { readonly what: 'report' } | { readonly what: 'turn'; readonly mode: OriginMode };

export interface OriginReport {
  readonly port: number;
  /** Requests that arrived since it started. */
  readonly requests: number;
}

const backgroundNice = 19;

export class Origin {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** `background`: it gets the time that nobody else on its CPUs wants. `name` stands in a JSON body. */
  static async start(
    cpus: string | null,
    body: OriginBody,
    name: string,
    background = false,
  ): Promise<Origin> {
    const words = [beside('origin.js', import.meta.url), body, name];
    const child = new Child(process.execPath, words, { cpus, ipc: true });
    const { port } = await nextMessage<OriginReport>(child);
    if (background) setPriority(child.pid, backgroundNice);
    return new Origin(child, port);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Requests that arrived since it started. */
  async requests(): Promise<number> {
    return (await this.#ask({ what: 'report' })).requests;
  }

  async turn(mode: OriginMode): Promise<void> {
    await this.#ask({ what: 'turn', mode });
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  #ask(ask: OriginAsk): Promise<OriginReport> {
    const answer = nextMessage<OriginReport>(this.#child);
    this.#child.process.send(ask);
    return answer;
  }
}

export interface Origins {
  readonly primary: Origin;
  readonly shadow: Origin;
}

/**
 * `shadowInBackground`: the shadow runs at a lower priority than the primary and the load generator, with
 * which it shares CPUs here but would not in use. What it costs itself then does not pass for something that
 * the proxy let through.
 */
export async function startOrigins(
  cpus: string | null,
  shadowInBackground = false,
  body: OriginBody = 'text',
): Promise<Origins> {
  const [primary, shadow] = await Promise.all([
    Origin.start(cpus, body, 'primary'),
    Origin.start(cpus, body, 'shadow', shadowInBackground),
  ]);
  return { primary, shadow };
}
