/** The operator's log on stderr: readable on a terminal, and JSON lines otherwise. Main thread. */
import { type Logger, type LoggerOptions, pino } from 'pino';
import type { RedactPlan } from '../../core/plan.js';
import { printable } from '../../core/printable.js';
import { LogRedaction, redactNothingMore } from '../../core/redact.js';
import type { LogMessage } from '../protocol/messages.js';

const stderrFd = 2;

/** Filters the content of a line: it hides secrets and escapes terminal control characters. */
export class LogFilter {
  #redaction = new LogRedaction(redactNothingMore);

  /** `follow` also hides what this plan lists. */
  follow(plan: RedactPlan): void {
    this.#redaction = new LogRedaction(plan);
  }

  /**
   * `shown` filters a part of a line: a text, or fields with their content. Line ends are kept, because
   * stacks of errors have them.
   */
  shown(part: unknown): unknown {
    if (typeof part === 'string')
      return part
        .split('\n')
        .map((line) => this.#line(line))
        .join('\n');
    if (typeof part !== 'object' || part === null) return part;
    if (part instanceof Error) return this.#error(part);
    if (Array.isArray(part)) return part.map((item) => this.shown(item));
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, this.shown(value)]));
  }

  /** The log reads the class, the message and the stack of an error. */
  #error(error: Error): Error {
    const message = String(this.shown(error.message));
    const stack = error.stack === undefined ? undefined : String(this.shown(error.stack));
    return Object.assign(Object.create(Object.getPrototypeOf(error)), { message, stack });
  }

  #line(line: string): string {
    return printable(this.#redaction.text(line));
  }
}

/** `openLog` calls `beforeLine` before each line, for code that shares standard error with the log. */
export async function openLog(filter: LogFilter, beforeLine: () => void = () => {}): Promise<Logger> {
  // Names and reasons in a line may come from services.
  const hooks: NonNullable<LoggerOptions['hooks']> = {
    logMethod(line, write) {
      beforeLine();
      write.apply(this, line.map((part) => filter.shown(part)) as typeof line);
    },
  };
  // Both write synchronously: these lines are rare, and the last ones before an exit are the most important.
  if (process.stderr.isTTY) {
    const { PinoPretty } = await import('pino-pretty');
    const pretty = PinoPretty({ destination: stderrFd, sync: true, ignore: 'pid,hostname', colorize: true });
    return pino({ hooks }, pretty);
  }
  return pino({ base: { pid: process.pid }, hooks }, pino.destination({ dest: stderrFd, sync: true }));
}

/** `logMessage` writes one line of a thread. */
export function logMessage(log: Logger, { level, message, fields }: LogMessage): void {
  log[level](fields, message);
}
