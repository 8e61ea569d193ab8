import type { Responder } from './downstream.js';

/**
 * Replaces the responder of a client that left before its request reached the primary, while a copy of it is
 * under way. The primary's response is discarded. So a write never reaches a shadow alone.
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
