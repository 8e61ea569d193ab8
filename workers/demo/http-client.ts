/** Calls of the demo over keep-alive connections of HTTP/1.1. */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { DemoClient } from './callers.js';

const bookCount = 9;

export class HttpClient implements DemoClient {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  call(number: number, over: (isGood: boolean) => void): void {
    let isGood = false;
    const call = request({
      agent: this.#agent,
      host: this.#url.hostname,
      port: this.#url.port,
      path: `/reviews/${number % bookCount}`,
      headers: { host: 'reviews', 'user-agent': 'umbra-demo', 'x-request-id': randomUUID() },
    });
    call.on('response', (response) => {
      isGood = response.statusCode === 200;
      response.resume();
      response.on('error', () => {});
    });
    call.on('error', () => {
      isGood = false;
    });
    call.on('close', () => over(isGood));
    call.end();
  }

  close(): void {
    this.#agent.destroy();
  }
}
