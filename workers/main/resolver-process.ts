/**
 * The process in which names are looked up. `getaddrinfo` blocks a thread of libuv's pool until the system's
 * resolver answers, all threads of a process share one pool, and a process can't end while a lookup hangs.
 * `Resolver` starts this process with its own pool and kills it (docs/decisions/074-names-in-a-process.md).
 */
import { lookup } from 'node:dns/promises';

export interface LookupQuestion {
  readonly id: number;
  readonly name: string;
}

export type LookupAnswer =
  | { readonly id: number; readonly addresses: readonly string[] }
  /** `error` is the system's code, for example `ENOTFOUND`. */
  | { readonly id: number; readonly error: string };

process.on('message', ({ id, name }: LookupQuestion) => {
  lookup(name, { all: true }).then(
    (found) => answer({ id, addresses: found.map(({ address }) => address) }),
    (error: NodeJS.ErrnoException) => answer({ id, error: error.code ?? error.message }),
  );
});

// An ordinary exit would wait for hanging lookups.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

// A terminal and a service manager send these signals to every process of a group. umbra's main process
// decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

function answer(message: LookupAnswer): void {
  // The channel closes when main ends, and `disconnect` follows.
  process.send!(message, undefined, undefined, () => {});
}
