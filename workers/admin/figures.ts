/** The admin server's counts of its own work. The control thread has one object and is its only user. */
import type { AdminCounts, RefusalReason } from '../../core/report/control-counts.js';

export class AdminFigures implements AdminCounts {
  streams = 0;
  streamsRefused = 0;
  streamsStalled = 0;
  snapshotsSkipped = 0;
  readonly refused: Record<RefusalReason, number> = {
    host: 0,
    token: 0,
    origin: 0,
    rate: 0,
    connections: 0,
    bodies: 0,
    answers: 0,
    changes: 0,
  };
}
