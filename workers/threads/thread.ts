/** Shared by all data-plane threads: handling of main's messages, messages to main, and failures. */
import { parentPort, type Transferable, workerData } from 'node:worker_threads';
import type { Plan } from '../../core/plan.js';
import type { Targets } from '../../core/upstream/target.js';
import type { CountersShares, FromThread, ThreadStart, ToThread } from '../protocol/messages.js';
import { PlanParts } from '../protocol/plan-parts.js';
import { startPulse } from './pulse.js';

/**
 * A proxy, shadow or sink thread as main controls it; the messages of the same names describe the methods.
 */
export interface DataThread {
  apply(plan: Plan, targets: Targets, counters: CountersShares): void;
  move(targets: Targets): void;
  retire(belowGeneration: number): void;
  releaseIdle(): void;
  drain(withinMs: number, handOver: boolean): void;
  leave(): void;
}

/** `runThread` builds the thread from main's start data, then handles main's messages. */
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

/** `say` sends a message to main. `transfer` lists what is moved instead of copied. */
export function say(message: FromThread, transfer: readonly Transferable[] = []): void {
  parentPort!.postMessage(message, transfer);
}

/**
 * `unknownMessage` throws: main and its threads are of one build, so an unknown message is a bug and must not
 * be ignored.
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

/** A failing thread leaves by itself after this time if main does not answer. */
const leaveAnywayMs = 1000;

/**
 * `askToLeaveOnFailure` handles an uncaught exception. The thread is not reliable any more, but must not end
 * at once: the acceptor would hand connections to an app that is gone, and the process would die. So it asks
 * main to remove it, and leaves when main answers.
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
