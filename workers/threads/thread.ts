/** What every data-plane thread does the same way: take main's messages, speak to it, and fail in order. */
import { parentPort, type Transferable, workerData } from 'node:worker_threads';
import type { Plan } from '../../core/plan.js';
import type { Targets } from '../../core/upstream/target.js';
import type { CountersShares, FromThread, ThreadStart, ToThread } from '../protocol/messages.js';
import { PlanParts } from '../protocol/plan-parts.js';
import { startPulse } from './pulse.js';

/** A proxy or shadow thread as main knows it; the messages of the same names say what for. */
export interface DataThread {
  apply(plan: Plan, targets: Targets, counters: CountersShares): void;
  move(targets: Targets): void;
  retire(belowGeneration: number): void;
  releaseIdle(): void;
  drain(withinMs: number, handOver: boolean): void;
  leave(): void;
}

/** The thread's whole life: builds it from what main gave it, then does what main says. */
export function runThread(build: (start: ThreadStart) => DataThread): void {
  let thread: DataThread | null = null;
  const leave = (): void => {
    // A thread that failed while it was being built has nothing to close.
    if (thread === null) process.exit(0);
    thread.leave();
  };
  askToLeaveOnFailure(leave);
  parentPort!.on('message', (message: ToThread) => {
    if (message.type === 'leave') leave();
    else handle(thread!, parts, message);
  });
  const start = workerData as ThreadStart;
  const parts = new PlanParts(start);
  thread = build(start);
  startPulse(start.threadCounters);
}

/** `transfer`: what in the message changes hands instead of being copied. */
export function say(message: FromThread, transfer: readonly Transferable[] = []): void {
  parentPort!.postMessage(message, transfer);
}

/**
 * Main and its threads are of one build: a word that one of them does not know is a fault, and is not passed
 * over in silence.
 */
export function unknownMessage(message: never): never {
  throw new Error(`a thread received an unknown message: ${JSON.stringify(message)}`);
}

function handle(thread: DataThread, parts: PlanParts, message: Exclude<ToThread, { type: 'leave' }>): void {
  switch (message.type) {
    case 'part':
      parts.add(message);
      say({ type: 'partReceived' });
      return;
    case 'plan': {
      const plan = parts.whole(message.plan);
      if (plan === null) say({ type: 'planApplied', generation: message.plan.generation });
      else thread.apply(plan, message.targets, parts.countersFor(plan));
      return;
    }
    case 'targets':
      thread.move(message.targets);
      return;
    case 'retire':
      thread.retire(message.belowGeneration);
      return;
    case 'releaseIdle':
      thread.releaseIdle();
      return;
    case 'drain':
      thread.drain(message.withinMs, message.handOver);
      return;
    default:
      unknownMessage(message);
  }
}

/** Should main not answer a failing thread, it leaves by itself after this long. */
const leaveAnywayMs = 1000;

/**
 * An exception that nobody caught: the thread can't be trusted any more, but it must not simply end, because
 * the acceptor would hand connections to an app that is gone, and the process would die. So it asks main to
 * take it out, and leaves when main says so.
 */
function askToLeaveOnFailure(leave: () => void): void {
  let failing = false;
  process.on('uncaughtException', (error) => {
    if (failing) return;
    failing = true;
    say({ type: 'failing', error: error.stack ?? String(error) });
    setTimeout(leave, leaveAnywayMs);
  });
}
