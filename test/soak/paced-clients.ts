/**
 * Clients that each send at a fixed pace and measure from when a request was due (no coordinated omission).
 */
import { Agent } from 'node:http';
import { ask } from '../support/client.js';

export interface Waits {
  readonly requests: number;
  readonly failures: readonly string[];
  /** The longest wait of any client. */
  readonly slowestMs: number;
}

/** `perSecond` requests of `clients` clients together for `seconds`; null: each as fast as it is answered. */
export async function runClients(
  port: number,
  clients: number,
  perSecond: number | null,
  seconds: number,
): Promise<Waits> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failures: string[] = [];
  let requests = 0;
  let slowestMs = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const paceMs = perSecond === null ? 0 : (clients * 1000) / perSecond;
  const client = async (index: number): Promise<void> => {
    // Clients do not send at the same moment.
    let dueMs = startMs + (paceMs * index) / clients;
    for (;;) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (performance.now() >= endMs) return;
      try {
        const { status } = await ask(port, { agent, target: '/reviews' });
        if (status !== 200) failures.push(String(status));
      } catch (error) {
        failures.push(String(error));
      }
      requests++;
      const nowMs = performance.now();
      if (perSecond !== null) slowestMs = Math.max(slowestMs, nowMs - Math.max(dueMs, startMs));
      dueMs = perSecond === null ? nowMs : dueMs + paceMs;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  agent.destroy();
  return { requests, failures, slowestMs };
}
