/**
 * Name lookups for the address book, in a separate process. Primaries and shadows have separate slots in it,
 * so hanging lookups of shadows' names never delay a primary's name. Main thread.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { limits } from '../../core/limits.js';
import { entryFile } from '../protocol/entry.js';
import type { LookupAnswer, LookupQuestion } from './resolver-process.js';

/** The role of a name. A name that a primary and a shadow share belongs to the primary. */
export type NameRole = 'primary' | 'shadow';

/** Resolves with the IP addresses of `name`, or rejects with an error that has the system's `code`. */
export type Lookup = (name: string, role: NameRole) => Promise<readonly string[]>;

interface Waiting {
  readonly name: string;
  readonly resolve: (addresses: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** A lookup that the process runs. */
interface Running extends Waiting {
  readonly role: NameRole;
  readonly timer: NodeJS.Timeout;
  /** The lookup was rejected after its timeout, but still occupies its slot. */
  isLate: boolean;
}

const places = { primary: limits.primaryLookups, shadow: limits.shadowLookups } as const;
/** libuv uses half of its threads, rounded up, for lookups. */
const poolThreads = 2 * (places.primary + places.shadow);
const processFile = fileURLToPath(entryFile('main/resolver-process'));

export class Resolver {
  readonly #execArgv: readonly string[];
  /** Timeout of later lookups, in milliseconds. */
  lookupMs: number = limits.lookupMs;
  readonly #waiting: Record<NameRole, Waiting[]> = { primary: [], shadow: [] };
  /** Lookups by id. */
  readonly #running = new Map<number, Running>();
  #lastId = 0;
  /** Null before the first lookup and after a failure. */
  #child: ChildProcess | null = null;

  /** `execArgv` are Node's own arguments for the process. */
  constructor(execArgv: readonly string[] = process.execArgv) {
    this.#execArgv = execArgv;
  }

  /** `lookUp` looks `name` up. After `lookupMs` it rejects with `ETIMEDOUT`. */
  readonly lookUp: Lookup = (name, role) =>
    new Promise((resolve, reject) => {
      this.#waiting[role].push({ name, resolve, reject });
      this.#advance(role);
    });

  /** `close` ends the process. Open lookups are never settled. */
  close(): void {
    for (const { timer } of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
    this.#waiting.primary = [];
    this.#waiting.shadow = [];
    this.#kill();
  }

  #advance(role: NameRole): void {
    const waiting = this.#waiting[role];
    while (waiting.length > 0) {
      const running = [...this.#running.values()].filter((lookup) => lookup.role === role);
      if (running.length >= places[role]) {
        // Late lookups may hang for ever. Only the end of the process ends them.
        if (running.some(({ isLate }) => isLate)) this.#replaceProcess();
        else return;
      } else this.#run(waiting.shift()!, role);
    }
  }

  #run(lookup: Waiting, role: NameRole): void {
    const id = ++this.#lastId;
    const timer = setTimeout(() => this.#onTimeout(id), this.lookupMs);
    timer.unref();
    this.#running.set(id, { ...lookup, role, timer, isLate: false });
    this.#send({ id, name: lookup.name });
  }

  #send(question: LookupQuestion): void {
    this.#child ??= this.#open();
    // A send fails when the process has ended, which `exit` reports.
    this.#child?.send(question, () => {});
  }

  #open(): ChildProcess | null {
    const { NODE_OPTIONS: _unwanted, ...env } = process.env;
    let child: ChildProcess;
    try {
      child = fork(processFile, [], {
        env: { ...env, UV_THREADPOOL_SIZE: String(poolThreads) },
        execArgv: [...this.#execArgv],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
    } catch (error) {
      setImmediate(() => this.#failAll((error as NodeJS.ErrnoException).code ?? String(error)));
      return null;
    }
    child.unref();
    child.channel?.unref();
    child.on('message', (answer: LookupAnswer) => this.#onAnswer(answer));
    child.on('error', (error: NodeJS.ErrnoException) => this.#onGone(child, error.code ?? error.message));
    child.on('exit', () => this.#onGone(child, 'the resolver process ended'));
    return child;
  }

  #onAnswer(answer: LookupAnswer): void {
    const lookup = this.#running.get(answer.id);
    if (lookup === undefined) return;
    this.#running.delete(answer.id);
    clearTimeout(lookup.timer);
    if (!lookup.isLate) {
      if ('addresses' in answer) lookup.resolve(answer.addresses);
      else lookup.reject(failure(lookup.name, answer.error));
    }
    this.#advance(lookup.role);
  }

  #onTimeout(id: number): void {
    const lookup = this.#running.get(id)!;
    lookup.isLate = true;
    lookup.reject(failure(lookup.name, 'ETIMEDOUT'));
    this.#advance(lookup.role);
  }

  /** `#replaceProcess` ends late lookups with the process, and repeats the others. */
  #replaceProcess(): void {
    this.#kill();
    for (const [id, { name, isLate }] of this.#running) {
      if (isLate) this.#running.delete(id);
      else this.#send({ id, name });
    }
  }

  #kill(): void {
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
  }

  #onGone(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#kill();
    this.#failAll(reason);
  }

  /**
   * `#failAll` rejects all lookups. The address book repeats them at the next interval, which starts a new
   * process.
   */
  #failAll(reason: string): void {
    for (const { name, reject, timer } of this.#running.values()) {
      clearTimeout(timer);
      reject(failure(name, reason));
    }
    this.#running.clear();
    this.#advance('primary');
    this.#advance('shadow');
  }
}

function failure(name: string, code: string): Error {
  return Object.assign(new Error(`the lookup of ${name} failed: ${code}`), { code });
}
