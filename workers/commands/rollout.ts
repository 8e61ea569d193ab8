/** `umbra rollout` starts and controls rollouts of a running umbra by its admin API, and waits for one. */
import type { CommandIo } from '../../config/commands/index.js';
import type { RolloutOptions } from '../../config/commands/rollout.js';
import { exitFailure, exitOk, exitUndecided } from '../../config/exit-codes.js';
import { formatDuration } from '../../config/units.js';
import type { RolloutBody } from '../admin/rollout-body.js';
import { AdminError, askAdmin, exitCodeFor } from './admin-client.js';
import { ProgressLine } from './progress-line.js';
import { settingsFrom } from './rollout-file.js';
import { historyLines, progressText, rolloutLines } from './rollout-text.js';

const lookMs = 500;
/** So long umbra may not answer while a command waits: it may be restarted meanwhile. */
const unreachableMsMax = 30_000;

/**
 * Resolves with the exit code: 0, or 1 where umbra refused, or 4 where it can't be asked. With `--wait` 0 is
 * released, 1 rolled back, 3 held or paused. Never rejects.
 */
export async function rolloutCommand(options: RolloutOptions, io: CommandIo): Promise<number> {
  const line = new ProgressLine(io);
  try {
    const { action, route, wait, output } = options;
    if (action === 'status' || action === 'history') {
      const all = await readAll(options);
      if (!wait || all[0] === undefined) return print(all, options, line);
      return await waitFor(options, all[0], line);
    }
    const place = `api/rollouts${action === 'start' ? '' : `/${encodeURIComponent(route!)}/${action}`}`;
    const body = action === 'start' ? await startBody(options) : commandBody(options);
    const answer = bodyOf(await askAdmin(options, place, { method: 'POST', body }));
    if (wait) return await waitFor(options, answer, line);
    if (output === 'json') line.out(JSON.stringify(answer));
    else for (const text of rolloutLines(answer)) line.out(text);
    return exitOk;
  } catch (error) {
    line.err(`umbra rollout: ${(error as Error).message}`);
    if (error instanceof AdminError) for (const problem of error.problems) line.err(`  ${problem}`);
    return exitCodeFor(error);
  }
}

async function startBody(options: RolloutOptions): Promise<object> {
  const { route, version, file, steps, requests, watch, onUndecided } = options;
  return {
    ...(file === null ? {} : await settingsFrom(file)),
    ...(version === null ? {} : { to: version }),
    ...(steps === null ? {} : { steps }),
    ...(requests === null ? {} : { requests }),
    ...(watch === null ? {} : { watch: formatDuration(watch) }),
    ...(onUndecided === null ? {} : { onUndecided }),
    route,
  };
}

function commandBody({ reason, full }: RolloutOptions): object {
  return { ...(reason === null ? {} : { reason }), ...(full ? { full } : {}) };
}

async function readAll(options: RolloutOptions): Promise<RolloutBody[]> {
  if (options.route !== null) return [await readOne(options, options.route)];
  const { rollouts } = await askAdmin(options, 'api/rollouts');
  if (!Array.isArray(rollouts)) throw new Error('refused (200): this is not an umbra admin API');
  return rollouts as RolloutBody[];
}

async function readOne(options: RolloutOptions, route: string): Promise<RolloutBody> {
  return bodyOf(await askAdmin(options, `api/rollouts/${encodeURIComponent(route)}`));
}

function bodyOf(answer: Record<string, unknown>): RolloutBody {
  if (!Array.isArray(answer.steps)) throw new Error('refused (200): this is not an umbra admin API');
  return answer as unknown as RolloutBody;
}

function print(all: readonly RolloutBody[], { action, output }: RolloutOptions, io: CommandIo): number {
  if (output === 'json')
    for (const one of all) io.out(JSON.stringify(action === 'history' ? one.history : one));
  else if (all.length === 0) io.out('no route has a rollout');
  else
    for (const one of all)
      for (const text of action === 'history' ? historyLines(one) : rolloutLines(one)) io.out(text);
  return exitOk;
}

/** `waitFor` prints each transition, as a line of text or of JSON. */
async function waitFor(options: RolloutOptions, begun: RolloutBody, line: ProgressLine): Promise<number> {
  let body = begun;
  let seen = begun.history.length - 1;
  const hide = line.show(() => progressText(body));
  try {
    for (let lostMs: number | null = null; ; ) {
      for (const one of body.history.slice(seen)) {
        const { at, state, step, reason, example } = one;
        if (options.output === 'json') line.out(JSON.stringify({ route: body.route, to: body.to, ...one }));
        else
          line.out(
            `${at}  ${state}, step ${step} of ${body.steps.length}: ${reason}${example === '' ? '' : ` (example: ${example})`}`,
          );
      }
      seen = body.history.length;
      const code = exitCodeOf(body);
      if (code !== null) return code;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      try {
        const next = await readOne(options, body.route);
        if (next.id !== body.id) throw new Error(`another rollout of ${body.route} was started`);
        body = next;
        lostMs = null;
      } catch (error) {
        if (!(error instanceof AdminError) || (error.status !== 0 && error.status !== 404)) throw error;
        lostMs ??= performance.now();
        if (performance.now() - lostMs > unreachableMsMax) throw error;
      }
    }
  } finally {
    hide();
  }
}

function exitCodeOf({ state }: RolloutBody): number | null {
  if (state === 'released') return exitOk;
  if (state === 'rolled-back') return exitFailure;
  return state === 'held' || state === 'paused' ? exitUndecided : null;
}
