/** What the tests of shadows that misbehave have in common. */
import type { Answered } from '../support/client.js';

export interface ShadowFault<Script> {
  readonly name: string;
  /** Null: nobody listens. */
  readonly script: Script | null;
  /** Why copies may fail. Empty: every copy completes. */
  readonly reasons: readonly string[];
  /** Some copies may complete. */
  readonly mayComplete?: boolean;
  /** The endpoint is ejected for a while, and copies are dropped as `no-endpoint`. */
  readonly rests?: boolean;
}

/** `told` returns what a client sees, without what changes by itself. */
export function told({ status, fields, body }: Answered): object {
  const aside = ['date', 'connection', 'keep-alive', 'transfer-encoding'];
  return { status, fields: fields.filter(([name]) => !aside.includes(name)), body: body.toString('latin1') };
}
