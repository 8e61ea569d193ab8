import type { Responder } from './downstream.js';

/**
 * Stands for a client that has left before its request reached the primary, although a copy of it is on its
 * way: what the primary answers is taken and thrown away, so that no write reaches a shadow alone.
 */
export const departedClient: Responder = {
  tie: null,
  batch: (run) => run(),
  sendInterim() {},
  sendHead() {},
  recallHead: () => false,
  sendBody: () => true,
  sendTrailers() {},
  switchProtocols(_head, tunnel) {
    tunnel.destroy();
  },
  finish() {},
  finishEarly: () => false,
  answer() {},
  cut() {},
  pauseBody() {},
  resumeBody() {},
  clientAddress: () => '',
  clientPort: () => 0,
  connectionKey: () => 0,
};
