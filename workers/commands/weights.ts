/** `umbra weights`: changes which versions answer on a route of a running umbra, through its admin API. */
import type { CommandIo } from '../../config/commands/index.js';
import type { WeightsOptions } from '../../config/commands/weights.js';
import { exitOk } from '../../config/exit-codes.js';
import { askAdmin, exitCodeFor } from './admin-client.js';
import { printLiveAnswer } from './live-answer.js';

/**
 * Resolves with the exit code: 0 when the weights are in force, 4 when umbra can't be asked, else 1. Never
 * rejects.
 */
export async function weightsCommand(options: WeightsOptions, io: CommandIo): Promise<number> {
  const { route, primary } = options;
  const path = route === null ? 'api/weights' : `api/routes/${encodeURIComponent(route)}`;
  const subject = route === null ? 'all weights' : `weights of ${route}`;
  const body = primary === null ? { reset: true } : { primary };
  const words = primary === null ? 'as in the configuration' : `set to ${wordsOf(primary)}`;
  try {
    printLiveAnswer(await askAdmin(options, path, { method: 'PATCH', body }), `${subject} ${words}`, io);
    return exitOk;
  } catch (error) {
    io.err(`umbra weights: ${(error as Error).message}`);
    return exitCodeFor(error);
  }
}

function wordsOf(primary: Readonly<Record<string, number | string>>): string {
  return Object.entries(primary)
    .map(([version, weight]) => `${version}=${weight}`)
    .join(' ');
}
