/**
 * `node dist/workers/demo/serve.js [--only v1|v2]` serves the demo's two versions on fixed ports, for the
 * tutorial.
 */
import type { AddressInfo } from 'node:net';
import { type OriginVersion, serveOrigin } from './origins.js';

const ports: Readonly<Record<OriginVersion, number>> = { v1: 9080, v2: 9081 };

const only = process.argv[2] === '--only' ? process.argv[3] : undefined;
const versions = (Object.keys(ports) as OriginVersion[]).filter(
  (version) => only === undefined || version === only,
);

if (versions.length === 0) {
  process.stderr.write(`unknown version ${only}: expected v1 or v2\n`);
  process.exitCode = 2;
}
for (const version of versions) {
  try {
    const server = await serveOrigin(version, ports[version]);
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${version} http://127.0.0.1:${port}/reviews/1\n`);
  } catch (error) {
    process.stderr.write(`${version} cannot listen: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
