/** The operator's log: on stderr, readable on a terminal, JSON lines otherwise. Main thread. */
import { type Logger, pino } from 'pino';
import type { LogMessage } from '../protocol/messages.js';

const stderrFd = 2;

export async function openLog(): Promise<Logger> {
  // Both write synchronously: these lines are rare, and the last ones before an exit matter most.
  if (process.stderr.isTTY) {
    const { PinoPretty } = await import('pino-pretty');
    return pino(PinoPretty({ destination: stderrFd, sync: true, ignore: 'pid,hostname', colorize: true }));
  }
  return pino({ base: { pid: process.pid } }, pino.destination({ dest: stderrFd, sync: true }));
}

/** Writes one line of a thread. */
export function logMessage(log: Logger, { level, message, fields }: LogMessage): void {
  log[level](fields, message);
}
