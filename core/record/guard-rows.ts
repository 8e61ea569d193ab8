import type { CounterRows, Field } from './counter-table.js';

/** `guardRows` returns what declares the row of one guard, a name of `guardNames` (core/http2/floods). */
export function guardRows(rows: CounterRows, metric: string, help: string) {
  return (guard: string): Field<'counter', never> =>
    rows.counter({ metric, help, labels: { guard }, sparse: true });
}
