/**
 * Shorter constructors of prom-client's metrics. Each metric belongs to the registry of one page, and is
 * created once.
 */
import { Counter, Gauge, type Registry } from 'prom-client';

export function counter(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
): Counter<string> {
  const made = registry.getSingleMetric(name) as Counter<string> | undefined;
  return made ?? new Counter({ name, help, labelNames, registers: [registry] });
}

/** `countersBy` creates a counter with one label, whose values are the keys of `values`. */
export function countersBy(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: Readonly<Record<string, number>>,
): void {
  const made = counter(registry, name, help, [label]);
  for (const [value, count] of Object.entries(values)) made.inc({ [label]: value }, count);
}

export function gauge(registry: Registry, name: string, help: string, labelNames: string[]): Gauge<string> {
  const made = registry.getSingleMetric(name) as Gauge<string> | undefined;
  return made ?? new Gauge({ name, help, labelNames, registers: [registry] });
}
