/**
 * Messages to systemd, by the protocol of sd_notify(3). Node has no sockets for datagrams of AF_UNIX, and
 * starting a process from one of umbra's size takes milliseconds of main's time. So one small shell is
 * started before umbra serves, and calls `systemd-notify` for each line that it reads
 * (docs/decisions/099-notifying-systemd.md). Main thread; nothing here waits for systemd.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { limits } from '../../core/limits.js';
import { printable } from '../../core/printable.js';

/** Between the assignments of one message. */
const separator = '\t';
/**
 * `systemd-notify` ends when systemd has processed the message, which the shell reports by its exit code. The
 * shell ends with its input, not with a signal to the whole group.
 */
const script = [
  "trap '' HUP INT TERM USR1 USR2; set -f",
  `while IFS= read -r line; do IFS='${separator}'; systemd-notify $line; echo $?; done`,
].join('; ');

/** Systemd ends the process this much later than umbra expects to end by itself, in milliseconds. */
const stopSlackMs = 10_000;

export interface ServiceManagerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  /** Called with one line when systemd can't be notified. */
  readonly onTrouble: (line: string) => void;
}

export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  /** Pause between signs of life, in milliseconds; null without a watchdog. */
  readonly #watchdogMs: number | null;
  #helper: ChildProcess | null = null;
  #watchdog: NodeJS.Timeout | undefined;
  /** Resolvers of messages that are not acknowledged, in the order in which they were written. */
  #open: (() => void)[] = [];
  #reloads = 0;
  #state = '';
  #closed = false;

  /** All methods do nothing where `env` has no NOTIFY_SOCKET. */
  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#watchdogMs = watchdogMs(options.env, options.pid);
    // Before umbra serves: a process that is started later would delay clients.
    if (options.env.NOTIFY_SOCKET) this.#helper = this.#start();
  }

  /**
   * `becomeMain` makes this process the main one of its unit. It resolves when systemd has taken that, or
   * can't be notified: then the process that is replaced may end.
   */
  becomeMain(): Promise<void> {
    return this.#tell([`MAINPID=${this.#options.pid}`]);
  }

  /** `ready` is called when umbra serves. From then on systemd gets signs of life while `lives` is true. */
  ready(state: string, lives: () => boolean): void {
    this.#state = state;
    void this.#tell(['READY=1', `MAINPID=${this.#options.pid}`, `STATUS=${state}`]);
    if (this.#watchdogMs === null || this.#watchdog !== undefined) return;
    this.#watchdog = setInterval(() => {
      if (lives()) void this.#tell(['WATCHDOG=1']);
    }, this.#watchdogMs);
    this.#watchdog.unref();
  }

  /** `reloading` must be followed by `reloaded`. */
  reloading(): void {
    this.#reloads++;
    void this.#tell(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  /** `state` is that after the reload. */
  reloaded(state: string): void {
    this.#state = state;
    // systemd has one state for all reloads.
    if (--this.#reloads === 0) void this.#tell(['READY=1', `STATUS=${state}`]);
  }

  /** `say` shows `text` in the unit's status; null shows the state again. */
  say(text: string | null): void {
    void this.#tell([`STATUS=${text ?? this.#state}`]);
  }

  /** `stopping` asks for the time that a drain may take, in milliseconds, whatever `TimeoutStopSec=` says. */
  stopping(why: string, drainMs: number): void {
    const us = Math.round((drainMs + stopSlackMs) * 1000);
    void this.#tell(['STOPPING=1', `STATUS=${why}`, `EXTEND_TIMEOUT_USEC=${us}`]);
  }

  /** `close` lets the helper end with what it has read. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#watchdog);
    this.#helper?.stdin?.end();
    this.#helper = null;
  }

  #tell(assignments: readonly string[]): Promise<void> {
    if (this.#helper === null || this.#closed) return Promise.resolve();
    // systemd does not read. A sign of life or a text may be lost; the shell must not hold more and more.
    if (this.#open.length >= limits.serviceMessages) return Promise.resolve();
    const line = assignments.map((text) => printable(text.replaceAll(separator, ' '))).join(separator);
    this.#helper.stdin!.write(`${line}\n`);
    return new Promise((resolve) => this.#open.push(resolve));
  }

  #start(): ChildProcess {
    const { PATH, NOTIFY_SOCKET } = this.#options.env;
    const helper = spawn('/bin/sh', ['-c', script], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: PATH ?? '/usr/bin:/bin', NOTIFY_SOCKET },
    });
    let reason = '';
    createInterface(helper.stderr).on('line', (line) => {
      reason = line;
    });
    let reported = false;
    createInterface(helper.stdout).on('line', (code) => {
      this.#open.shift()?.();
      if (code === '0' || reported) return;
      reported = true;
      this.#options.onTrouble(`systemd can't be notified: systemd-notify ended with ${code} (${reason})`);
    });
    const onEnd = (error: string): void => {
      if (this.#helper !== helper) return;
      this.#helper = null;
      for (const resolve of this.#open.splice(0)) resolve();
      this.#options.onTrouble(`systemd can't be notified any more: the helper ended (${error})`);
      // Without signs of life systemd would end umbra.
      if (!this.#closed) setTimeout(() => this.#restart(), limits.serviceHelperPauseMs).unref();
    };
    helper.on('error', ({ message }) => onEnd(message));
    helper.on('exit', (code, signal) => onEnd(String(signal ?? code)));
    helper.stdin.on('error', () => {});
    // umbra ends without waiting for it.
    helper.unref();
    for (const stream of [helper.stdin, helper.stdout, helper.stderr]) unref(stream);
    return helper;
  }

  #restart(): void {
    if (!this.#closed) this.#helper = this.#start();
  }
}

/** The longest time of a timer of Node's. */
const timerMaxMs = 2 ** 31 - 1;

/**
 * Half of WATCHDOG_USEC, in milliseconds. Null where it is meant for another process
 * (sd_watchdog_enabled(3)).
 */
function watchdogMs(
  { WATCHDOG_USEC: us, WATCHDOG_PID: meant }: NodeJS.ProcessEnv,
  pid: number,
): number | null {
  if (us === undefined || !/^[1-9]\d{0,15}$/.test(us)) return null;
  return meant === undefined || meant === String(pid) ? Math.min(Number(us) / 2000, timerMaxMs) : null;
}

/** The streams of a child are sockets, which the types do not say. */
function unref(stream: object): void {
  (stream as { unref?: () => void }).unref?.();
}
