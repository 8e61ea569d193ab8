/** The thread that runs the demo's services. It sends its parent their ports. */
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { serveGrpcOrigin } from './grpc-service.js';
import { serveOrigin } from './origins.js';

export interface OriginPorts {
  readonly v1: number;
  readonly v2: number;
}

/** The share of its requests that a bad v2 fails. */
const badShare = 0.3;
const { bad, grpc } = workerData as { readonly bad: boolean; readonly grpc: boolean };

const serve = grpc ? serveGrpcOrigin : serveOrigin;
const [v1, v2] = await Promise.all([serve('v1', 0), serve('v2', 0, bad ? badShare : 0)]);
const ports: OriginPorts = { v1: (v1.address() as AddressInfo).port, v2: (v2.address() as AddressInfo).port };
parentPort!.postMessage(ports);
