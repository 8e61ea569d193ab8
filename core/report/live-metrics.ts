import type { Registry } from 'prom-client';
import type { LiveCounts } from './control-counts.js';
import { gauge } from './metric.js';

/** `addLiveChanges` adds how much of what runs differs from the configuration. */
export function addLiveChanges(registry: Registry, { allMirrors, mirrors, weights, kept }: LiveCounts): void {
  const changes = gauge(
    registry,
    'umbra_live_changes',
    'Live changes in force that differ from the configuration, by kind: all_mirrors, mirror or weights.',
    ['kind'],
  );
  changes.set({ kind: 'all_mirrors' }, allMirrors);
  changes.set({ kind: 'mirror' }, mirrors);
  changes.set({ kind: 'weights' }, weights);
  gauge(
    registry,
    'umbra_live_changes_kept',
    'Whether the last live change could be kept where it should be; 0 means that a restart loses it.',
    [],
  ).set(Number(kept));
}
