/** The thread that runs the demo's services. It sends its parent their ports. */
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { serveOrigin } from './origins.js';

export interface OriginPorts {
  readonly v1: number;
  readonly v2: number;
}

const [v1, v2] = await Promise.all([serveOrigin('v1', 0), serveOrigin('v2', 0)]);
const ports: OriginPorts = { v1: (v1.address() as AddressInfo).port, v2: (v2.address() as AddressInfo).port };
parentPort!.postMessage(ports);
