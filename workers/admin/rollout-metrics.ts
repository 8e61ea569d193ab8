/** Rollouts for `/metrics`, behind the page of core/report. */

import { releasedShare } from '../../core/rollout/advance.js';
import { type RolloutRecord, rolloutStates } from '../../core/rollout/rollout-record.js';

export interface HookCounts {
  readonly ok: number;
  readonly failed: number;
  readonly refused: number;
}

/** Reports on rollouts by what became of them. */
export interface ReportCounts {
  readonly sent: number;
  readonly failed: number;
  readonly tooLarge: number;
  readonly unreadable: number;
}

/** The end of a page of OpenMetrics. */
const end = '# EOF\n';

/** `withRollouts` adds lines to a page of Prometheus text or OpenMetrics, where a route had a rollout. */
export function withRollouts(
  page: string,
  records: readonly RolloutRecord[],
  hooks: HookCounts,
  reports: ReportCounts | null,
): string {
  if (records.length === 0) return page;
  const isOpen = page.endsWith(end);
  const lines = rolloutLines(records, hooks, reports, isOpen);
  return isOpen ? `${page.slice(0, -end.length)}${lines}${end}` : page + lines;
}

/** OpenMetrics names the family of a counter without `_total`. */
function rolloutLines(
  records: readonly RolloutRecord[],
  hooks: HookCounts,
  reports: ReportCounts | null,
  isOpen: boolean,
): string {
  const counts = (of: Readonly<Record<string, number>>): string[] =>
    Object.entries(of).map(([result, count]) => `${isOpen ? '_total' : ''}{result="${result}"} ${count}`);
  const named = (name: string): string => (isOpen ? name : `${name}_total`);
  const labels = ({ route, to }: RolloutRecord): string => `route=${quoted(route)},version=${quoted(to)}`;
  return [
    ...family(
      'umbra_rollout_state',
      'gauge',
      'State of the last rollout of the route: 1 for the state that it has.',
      records.flatMap((record) =>
        rolloutStates.map(
          (state) => `{${labels(record)},state="${state}"} ${record.state === state ? 1 : 0}`,
        ),
      ),
    ),
    ...family(
      'umbra_rollout_step',
      'gauge',
      'Step of the rollout, from 1.',
      records.map((record) => `{${labels(record)}} ${record.step + 1}`),
    ),
    ...family(
      'umbra_rollout_released_ratio',
      'gauge',
      'Share of the requests of the route that the new version answers, as the rollout says.',
      records.map((record) => `{${labels(record)}} ${releasedShare(record)}`),
    ),
    ...family(
      named('umbra_rollout_hooks'),
      'counter',
      'Hooks of rollouts by how they ended; refused: too many were running.',
      counts({ ...hooks }),
    ),
    ...(reports === null
      ? []
      : family(
          named('umbra_rollout_reports'),
          'counter',
          'Reports of this instance to the leader of its fleet, and those of others that it could not read.',
          counts({
            sent: reports.sent,
            failed: reports.failed,
            'too-large': reports.tooLarge,
            unreadable: reports.unreadable,
          }),
        )),
    '',
  ].join('\n');
}

function family(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => `${name}${sample}`)];
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}
