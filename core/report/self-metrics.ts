/** umbra's own state as metrics: its threads' pulses, and what its admin server refuses. */
import type { Registry } from 'prom-client';
import { type AdminCounts, refusalReasons } from './control-counts.js';
import { counter, gauge } from './metric.js';
import type { PulseReading, Reading } from './reading.js';

export function addSelf(registry: Registry, { pulses, control }: Reading): void {
  addPulses(registry, pulses);
  addAdmin(registry, control.admin);
}

function addPulses(registry: Registry, pulses: readonly PulseReading[]): void {
  const busy = gauge(
    registry,
    'umbra_thread_busy_ratio',
    'Share of the last half second in which the event loop was at work, 0 to 1.',
    ['thread'],
  );
  const delay = gauge(
    registry,
    'umbra_thread_loop_delay_seconds',
    'How late the event loop was for a timer, the longest of the last second.',
    ['thread'],
  );
  for (const { name, busy: share, loopDelayS } of pulses) {
    busy.set({ thread: name }, share);
    delay.set({ thread: name }, loopDelayS);
  }
}

function addAdmin(registry: Registry, admin: AdminCounts): void {
  gauge(registry, 'umbra_admin_streams', 'Readers of /api/stream.', []).set(admin.streams);
  const refused = counter(
    registry,
    'umbra_admin_refused_total',
    'Requests to the admin API that were refused, by the guard that did it.',
    ['reason'],
  );
  for (const reason of refusalReasons) refused.inc({ reason }, admin.refused[reason]);
  counter(
    registry,
    'umbra_admin_streams_refused_total',
    'Readers of /api/stream refused because there were too many.',
    [],
  ).inc(admin.streamsRefused);
  counter(
    registry,
    'umbra_admin_streams_stalled_total',
    'Readers of /api/stream cut off because they took nothing.',
    [],
  ).inc(admin.streamsStalled);
  counter(
    registry,
    'umbra_admin_snapshots_skipped_total',
    'Snapshots that a reader of /api/stream was too slow for.',
    [],
  ).inc(admin.snapshotsSkipped);
}
