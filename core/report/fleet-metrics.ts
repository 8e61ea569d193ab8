import type { Registry } from 'prom-client';
import type { FleetState } from './control-counts.js';
import { countersBy, gauge } from './metric.js';

/** `addFleet` adds metrics of this instance as a member of a fleet; none without a fleet. */
export function addFleet(registry: Registry, { publishing, plan }: FleetState): void {
  if (publishing !== null) {
    gauge(
      registry,
      'umbra_fleet_connected',
      'Whether the server for the snapshots of this instance is connected.',
      [],
    ).set(Number(publishing.connected));
    gauge(
      registry,
      'umbra_fleet_info',
      'Always 1, with the name of the instance in the fleet and a digest of versions, routes and salt, which is the same for instances that agree.',
      ['name', 'configuration'],
    ).set({ name: publishing.name, configuration: publishing.configuration }, 1);
    const { published, skipped, failed } = publishing;
    countersBy(
      registry,
      'umbra_fleet_snapshots_total',
      'Snapshots of this instance that were due, by result: published, skipped or failed.',
      'result',
      { published, skipped, failed },
    );
  }
  if (plan === null) return;
  gauge(
    registry,
    'umbra_plan_connected',
    'Whether the server whose bucket holds the plan is connected.',
    [],
  ).set(Number(plan.connected));
  gauge(
    registry,
    'umbra_plan_revision',
    'Revision of the plan that is in force, as its bucket counts it.',
    [],
  ).set(plan.revision);
  countersBy(
    registry,
    'umbra_plan_revisions_total',
    'Revisions of the plan in its bucket that were seen since the start, by result: taken or refused.',
    'result',
    { taken: plan.taken, refused: plan.refusals },
  );
}
