/** The two origins of a run, one for the primary and one for the shadow, each in a process of its own. */
import { beside, Child, nextMessage } from './child.js';

/**
 * `slow` answers after a second, `hanging` never, `resetting` resets on the first byte, `refusing` has closed its port,
 * `flooding` answers with 10 MB.
 */
export type OriginMode = 'answering' | 'slow' | 'refusing' | 'hanging' | 'resetting' | 'flooding';

export type OriginAsk = { readonly what: 'report' } | { readonly what: 'turn'; readonly mode: OriginMode };

export interface OriginReport {
  readonly port: number;
  /** Requests that arrived since it started. */
  readonly requests: number;
}

export class Origin {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(cpus: string | null): Promise<Origin> {
    const child = new Child(process.execPath, [beside('origin.js', import.meta.url)], { cpus, ipc: true });
    const { port } = await nextMessage<OriginReport>(child);
    return new Origin(child, port);
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

export async function startOrigins(cpus: string | null): Promise<Origins> {
  const [primary, shadow] = await Promise.all([Origin.start(cpus), Origin.start(cpus)]);
  return { primary, shadow };
}
