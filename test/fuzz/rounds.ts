import type { UmbraProcess } from '../support/umbra.js';

type Stats = Awaited<ReturnType<UmbraProcess['atRest']>>;

export interface Rounds {
  readonly umbra: UmbraProcess;
  readonly clientsAtOnce: number;
  /** Connections of one round, after which umbra comes to rest. */
  readonly connections: number;
  /** What was found wrong; the first ends the run. */
  readonly wrong: readonly string[];
  stop(): boolean;
  /** One hostile client. */
  attack(): Promise<void>;
  /** Throws where others were not served in a round. */
  othersAreServed(): Promise<void>;
  /** Throws where a request is not accounted for after a round. */
  check(stats: Stats): void;
  /** Ends the clients that behave, before umbra stops. */
  leave?(): Promise<void>;
  /** Closes what the run has opened, after umbra has stopped. */
  close(): Promise<unknown>;
}

/** Attacks in rounds until `stop` returns true; resolves with the connections made. Throws what is wrong. */
export async function attackInRounds(rounds: Rounds): Promise<number> {
  const { umbra, wrong } = rounds;
  let dead = false;
  void umbra.ended.then(() => {
    dead = true;
  });
  let made = 0;
  try {
    while (!rounds.stop()) {
      let left = rounds.connections;
      const client = async (): Promise<void> => {
        while (left-- > 0 && !rounds.stop() && !dead && wrong.length === 0) {
          await rounds.attack();
          made++;
        }
      };
      await Promise.all(Array.from({ length: rounds.clientsAtOnce }, client));
      if (dead) throw new Error(`umbra died:\n${umbra.err}`);
      await rounds.othersAreServed();
      if (wrong.length > 0) throw new Error(wrong[0]);
      const stats = await umbra.atRest();
      rounds.check(stats);
      if (stats.threads.restarts > 0) throw new Error(`a thread died:\n${umbra.err}`);
    }
  } finally {
    await rounds.leave?.();
    if (!dead) await umbra.stop();
    await rounds.close();
  }
  return made;
}
