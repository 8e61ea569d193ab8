/** The operator's log: on stderr, readable on a terminal, JSON lines otherwise. Main thread. */
import { type Logger, type LoggerOptions, pino } from 'pino';
import { printable } from '../../core/printable.js';
import { Redaction, redactNothingMore } from '../../core/redact.js';
import type { LogMessage } from '../protocol/messages.js';

const stderrFd = 2;
const redaction = new Redaction(redactNothingMore);

/** `beforeLine` is called before each line, for whoever shares standard error with the log. */
export async function openLog(beforeLine: () => void = () => {}): Promise<Logger> {
  // Names and reasons in a line may come from services: they hold no secret and steer no terminal.
  const hooks: NonNullable<LoggerOptions['hooks']> = {
    logMethod(line, write) {
      beforeLine();
      write.apply(this, line.map(shown) as typeof line);
    },
  };
  // Both write synchronously: these lines are rare, and the last ones before an exit matter most.
  if (process.stderr.isTTY) {
    const { PinoPretty } = await import('pino-pretty');
    const pretty = PinoPretty({ destination: stderrFd, sync: true, ignore: 'pid,hostname', colorize: true });
    return pino({ hooks }, pretty);
  }
  return pino({ base: { pid: process.pid }, hooks }, pino.destination({ dest: stderrFd, sync: true }));
}

/** Writes one line of a thread. */
export function logMessage(log: Logger, { level, message, fields }: LogMessage): void {
  log[level](fields, message);
}

/** Texts, and those of a line's fields; line ends stay, as the stacks of errors have them. */
function shown(part: unknown): unknown {
  if (typeof part === 'string') return part.split('\n').map(shownLine).join('\n');
  if (typeof part !== 'object' || part === null || part instanceof Error) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, typeof value === 'string' ? shown(value) : value]),
  );
}

function shownLine(line: string): string {
  return printable(redaction.text(line));
}
