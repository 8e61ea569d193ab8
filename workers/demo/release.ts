/**
 * The last chapter of the demo: v2 is released step by step, as `umbra rollout start` does it, or rolled
 * back.
 */
import type { RolloutBody } from '../admin/rollout-body.js';
import { sendToAdmin } from '../commands/admin-request.js';
import { progressText } from '../commands/rollout-text.js';

/** What a person sees of it. */
export interface ReleaseScreen {
  line(text: string): void;
}

const lookMs = 250;
const linesEveryMs = 2000;
const timeoutMs = 15_000;
/** Enough requests for the demo's wide bounds in a few seconds. */
const requests = 20;

/** `settings` are those of `umbra rollout start`. v2 adds stars and is a little slower, on purpose. */
function releaseSettings(stepMs: number): object {
  const least = `${Math.max(1000, Math.round(stepMs))}ms`;
  return {
    route: 'reviews',
    to: 'v2',
    steps: `mirror:${least}-10m,20%:${least}-10m,50%:${least}-10m,100%`,
    requests,
    maxShift: 'off',
    maxP99Delta: 'off',
    maxDiff: 'off',
    maxErrorDelta: '10%',
    watch: least,
  };
}

/** Resolves with the end of the rollout, or null where `isOver` says first that nobody waits. */
export async function release(
  admin: string,
  stepMs: number,
  screen: ReleaseScreen,
  isOver: () => boolean,
): Promise<RolloutBody | null> {
  const started = await untilOver(call(admin, 'POST', 'api/rollouts', releaseSettings(stepMs)), isOver);
  if (started === null) return null;
  let seen = 0;
  let shownMs = performance.now();
  while (!isOver()) {
    const body = await untilOver(call(admin, 'GET', 'api/rollouts/reviews', null), isOver);
    if (body === null) return null;
    for (const { state, step, reason, example } of body.history.slice(seen)) {
      if (state === 'rolling-back') continue;
      screen.line(`  ${state}, step ${step} of ${body.steps.length}: ${reason}`);
      if (example !== '') screen.line(`    example: ${example}`);
    }
    if (body.history.length > seen || performance.now() - shownMs > linesEveryMs) {
      screen.line(`  ${progressText(body)}`);
      shownMs = performance.now();
    }
    seen = body.history.length;
    if (body.state === 'released' || body.state === 'rolled-back') return body;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  return null;
}

/** Resolves with null where `asked` fails after nobody waits any more. */
async function untilOver(asked: Promise<RolloutBody>, isOver: () => boolean): Promise<RolloutBody | null> {
  try {
    return await asked;
  } catch (error) {
    if (isOver()) return null;
    throw error;
  }
}

async function call(
  admin: string,
  method: 'GET' | 'POST',
  path: string,
  body: object | null,
): Promise<RolloutBody> {
  const { status, text } = await sendToAdmin(admin, path, {
    method,
    headers: body === null ? {} : { 'content-type': 'application/json' },
    body: body === null ? null : JSON.stringify(body),
    timeoutMs,
  });
  if (status > 299) throw new Error(`the rollout was refused (${status}): ${text}`);
  return JSON.parse(text) as RolloutBody;
}
