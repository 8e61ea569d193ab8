/**
 * The operator's log on stderr, in one of three forms: text for a terminal, JSON lines, or text with a
 * priority
 * for the journal of systemd. Main thread.
 */
import { fstatSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import type { LogFormat, LogLevel, LogPlan, RedactPlan } from '../../core/plan.js';
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

type Part = Readonly<Record<string, unknown>> | string;

/** `openLog` calls `beforeLine` before each line, for code that shares standard error with the log. */
export async function openLog(
  filter: LogFilter,
  plan: LogPlan,
  beforeLine: () => void = () => {},
): Promise<Log> {
  const log = new Log(filter, beforeLine);
  await log.follow(plan);
  return log;
}

export class Log {
  readonly #filter: LogFilter;
  readonly #beforeLine: () => void;
  #format: Exclude<LogFormat, 'auto'> | null = null;
  #logger: Logger | null = null;

  constructor(filter: LogFilter, beforeLine: () => void) {
    this.#filter = filter;
    this.#beforeLine = beforeLine;
  }

  /** `follow` applies another level and form to later lines. */
  async follow({ level, format }: LogPlan): Promise<void> {
    const settled = format === 'auto' ? autoFormat() : format;
    if (settled !== this.#format) {
      this.#logger = await loggerOf(settled);
      this.#format = settled;
    }
    this.#logger!.level = level;
  }

  debug(...line: readonly Part[]): void {
    this.#write('debug', line);
  }

  info(...line: readonly Part[]): void {
    this.#write('info', line);
  }

  warn(...line: readonly Part[]): void {
    this.#write('warn', line);
  }

  error(...line: readonly Part[]): void {
    this.#write('error', line);
  }

  /**
   * `#write` writes a line: fields and a message, or a message alone. Names and reasons in it may come from
   * services.
   */
  #write(level: LogLevel, line: readonly Part[]): void {
    const logger = this.#logger!;
    if (!logger.isLevelEnabled(level)) return;
    this.#beforeLine();
    const [first, second] = line.map((part) => this.#filter.shown(part));
    if (typeof first === 'string') logger[level](first);
    else logger[level](first as object, second as string);
  }
}

/** `logMessage` writes one line of a thread. */
export function logMessage(log: Log, { level, message, fields }: LogMessage): void {
  log[level](fields, message);
}

/** `autoFormat` chooses the form by what standard error is (systemd.exec(5), `$JOURNAL_STREAM`). */
function autoFormat(): Exclude<LogFormat, 'auto'> {
  const stream = process.env.JOURNAL_STREAM ?? '';
  if (stream !== '') {
    const { dev, ino } = fstatSync(stderrFd, { bigint: true });
    if (stream === `${dev}:${ino}`) return 'journal';
  }
  return process.stderr.isTTY ? 'text' : 'json';
}

/**
 * All of them write synchronously: these lines are rare, and the last ones before an exit are the most
 * important.
 */
async function loggerOf(format: Exclude<LogFormat, 'auto'>): Promise<Logger> {
  const times = { timestamp: pino.stdTimeFunctions.isoTime };
  if (format === 'text') {
    const { PinoPretty } = await import('pino-pretty');
    const colorize = process.stderr.isTTY && (process.env.NO_COLOR ?? '') === '';
    const pretty = PinoPretty({ destination: stderrFd, sync: true, ignore: 'pid,hostname', colorize });
    return pino(times, pretty);
  }
  const destination = pino.destination({ dest: stderrFd, sync: true });
  const formatters = { level: (label: string) => ({ level: label }) };
  if (format === 'json') return pino({ ...times, base: { pid: process.pid }, formatters }, destination);
  return pino(
    { timestamp: false, base: null, formatters },
    { write: (line: string) => void destination.write(journalLine(line)) },
  );
}

/** Priorities of sd-daemon(3). */
const priorities: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/**
 * `journalLine` makes `<4>message name=value` of a line in JSON. The journal keeps the time and the process.
 * A line end would begin an entry of its own, so each further line has the priority too.
 */
function journalLine(json: string): string {
  const { level, msg = '', ...fields } = JSON.parse(json) as Record<string, unknown>;
  const prefix = `<${priorities[level as LogLevel]}>`;
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
  return `${`${msg}${pairs.join('')}`
    .split('\n')
    .map((line) => prefix + line)
    .join('\n')}\n`;
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '' || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
