/** `umbra mirror`: changes a mirror of a running umbra through its admin API, or disables all of them. */
import type { CommandIo } from '../../config/commands/index.js';
import type { MirrorOptions } from '../../config/commands/mirror.js';
import { exitOk } from '../../config/exit-codes.js';
import { askAdmin, exitCodeFor } from './admin-client.js';
import { printLiveAnswer } from './live-answer.js';

/**
 * Resolves with the exit code: 0 when the change is in force, 4 when umbra can't be asked, else 1. Never
 * rejects.
 */
export async function mirrorCommand(options: MirrorOptions, io: CommandIo): Promise<number> {
  try {
    const answer = await askAdmin(options, path(options), { method: 'PATCH', body: change(options) });
    printLiveAnswer(answer, `${subject(options)} ${verb(options)}`, io, options.output);
    return exitOk;
  } catch (error) {
    io.err(`umbra mirror: ${(error as Error).message}`);
    return exitCodeFor(error);
  }
}

function path({ route, version }: MirrorOptions): string {
  if (route === null || version === null) return 'api/mirrors';
  return `api/routes/${encodeURIComponent(route)}/mirrors/${encodeURIComponent(version)}`;
}

function change({ percent, on, reset }: MirrorOptions): object {
  if (reset) return { reset: true };
  return percent === null ? { enabled: on } : { percent };
}

function subject({ route, version }: MirrorOptions): string {
  return route === null ? 'all mirrors' : `mirror ${route} to ${version}`;
}

function verb({ percent, on, reset }: MirrorOptions): string {
  if (reset) return 'as in the configuration';
  if (percent !== null) return `set to ${percent} %`;
  return on ? 'switched on' : 'switched off';
}
