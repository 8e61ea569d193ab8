/** `umbra demo --services`: the demo's services by themselves, for the tutorial and for a try by hand. */
import { once } from 'node:events';
import { type ServiceName, servicePorts } from '../../config/commands/demo.js';
import { exitFailure, exitOk } from '../../config/exit-codes.js';
import { serveOrigin } from './origins.js';

/** Resolves with the exit code, after SIGINT or SIGTERM where all of them listen. */
export async function serveServices(names: readonly ServiceName[]): Promise<number> {
  const servers = [];
  for (const name of names) {
    try {
      servers.push(await serveOrigin(name, servicePorts[name]));
    } catch (error) {
      process.stderr.write(`umbra: ${name} can't listen: ${(error as Error).message}\n`);
      for (const server of servers) server.close();
      return exitFailure;
    }
    process.stdout.write(`${name} http://127.0.0.1:${servicePorts[name]}/reviews/1\n`);
  }
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  return exitOk;
}
