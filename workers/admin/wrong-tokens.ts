import { limits } from '../../core/limits.js';

interface Client {
  level: number;
  atUs: number;
}

const FORGIVEN_PER_US = 1 / 1e6;

/**
 * Counts wrong tokens by address. One guess is forgiven each second, so that a person's mistakes are soon
 * forgotten.
 */
export class WrongTokens {
  /** Clients by address, the longest inactive first. */
  readonly #clients = new Map<string, Client>();

  tooMany(address: string, nowUs: number): boolean {
    return this.#level(address, nowUs) > limits.adminWrongTokens - 1;
  }

  add(address: string, nowUs: number): void {
    const level = this.#level(address, nowUs) + 1;
    this.#clients.delete(address);
    this.#clients.set(address, { level, atUs: nowUs });
    if (this.#clients.size > limits.adminWrongTokenClients) {
      for (const oldest of this.#clients.keys()) {
        this.#clients.delete(oldest);
        break;
      }
    }
  }

  #level(address: string, nowUs: number): number {
    const client = this.#clients.get(address);
    if (client === undefined) return 0;
    return Math.max(0, client.level - (nowUs - client.atUs) * FORGIVEN_PER_US);
  }
}
