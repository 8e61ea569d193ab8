/**
 * How the commands talk to a running umbra: one request to its admin API, and every way in which that can
 * fail as one line.
 */

import { exitFailure, exitUnreachable } from '../../config/exit-codes.js';
import { sendToAdmin } from './admin-request.js';

export interface AdminPlace {
  /** Base URL of the admin API, or `unix:PATH`. */
  readonly admin: string;
  readonly token: string | null;
}

/** The message for a person; `status` is 0 where there was no answer. */
export class AdminError extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** What is wrong with what was sent, a line each. */
    readonly problems: readonly string[] = [],
  ) {
    super(message);
  }
}

/** The exit code of a command that could not do its work for `error`. */
export function exitCodeFor(error: unknown): number {
  return error instanceof AdminError && error.status === 0 ? exitUnreachable : exitFailure;
}

/**
 * A change waits until every thread has taken it, which takes milliseconds; a hung process must not hang its
 * operator.
 */
const answerTimeoutMs = 15_000;

/** The answer's JSON. Throws `AdminError` where umbra can't be reached, refuses, or is not umbra. */
export async function askAdmin(
  { admin, token }: AdminPlace,
  path: string,
  change?: { readonly method: 'PATCH' | 'POST'; readonly body: object },
): Promise<Record<string, unknown>> {
  let status: number;
  let answer: Record<string, unknown> | null;
  try {
    const said = await sendToAdmin(admin, path, {
      method: change?.method ?? 'GET',
      headers: {
        'x-umbra-by': 'command',
        ...(change === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: change === undefined ? null : JSON.stringify(change.body),
      timeoutMs: answerTimeoutMs,
    });
    status = said.status;
    answer = parse(said.text);
  } catch (error) {
    throw new AdminError(`cannot reach umbra at ${admin}: ${reason(error)}`, 0);
  }
  if (status < 200 || status > 299 || answer === null) {
    const said = typeof answer?.error === 'string' ? answer.error : 'this is not an umbra admin API';
    const problems = Array.isArray(answer?.problems) ? answer.problems.map(String) : [];
    throw new AdminError(`refused (${status}): ${said}`, status, problems);
  }
  return answer;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** `fetch` says only that it failed; what happened is in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${answerTimeoutMs / 1000} s`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause as NodeJS.ErrnoException).code ?? cause.message;
}
