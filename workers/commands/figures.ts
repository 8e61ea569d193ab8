/** What the commands read: the figures of one running umbra, or of a fleet as one. */
import type { NatsBucket } from '../../config/nats-address.js';
import { formatFleetAddress } from '../../config/nats-address.js';
import { mergeDiffs, mergeReadings } from '../../core/fleet/merged.js';
import { rollCallNotes, rolloutsOf, type SeenMember } from '../../core/fleet/roll-call.js';
import { between } from '../../core/report/between.js';
import { type DiffsView, subtractDiffs } from '../../core/report/diffs.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import { decodeReading } from '../../core/report/raw-reading.js';
import type { Reading } from '../../core/report/reading.js';
import type { RolloutNote } from '../../core/report/rollout-note.js';
import { FleetReader } from '../fleet/members.js';
import { AdminError, type AdminPlace, askAdmin } from './admin-client.js';

const notFound = 404;

/** Where a command reads: a fleet where one is named, else the admin API. */
export interface FiguresPlace extends AdminPlace {
  readonly fleet?: FleetChoice | undefined;
}

export interface FleetChoice extends NatsBucket {
  /** One of them alone; null: all. */
  readonly instance: string | null;
}

/** One look. */
export interface Figures {
  readonly reading: Reading;
  readonly diffs: DiffsView | null;
  /** The members of a fleet; null: one umbra was asked. */
  readonly members: readonly SeenMember[] | null;
  /** Those of a fleet have the step of each member. */
  readonly rollouts: readonly RolloutNote[];
  readonly notes: readonly string[];
}

export interface FigureSource {
  readonly name: string;
  /**
   * Rejects with an Error of one line. Without `withDiffs` a running umbra is not asked for its differences.
   */
  look(withDiffs: boolean): Promise<Figures>;
  close(): Promise<void>;
}

export async function openFigures(place: FiguresPlace): Promise<FigureSource> {
  return place.fleet === undefined ? ofAdmin(place) : ofFleet(place.fleet);
}

/**
 * What happened between two looks: of each process by itself, so that one that came or went in between does
 * no harm.
 */
export function figuresBetween(earlier: Figures, later: Figures): Reading {
  if (earlier.members === null || later.members === null) return between(earlier.reading, later.reading);
  const windows = memberWindows(earlier, later);
  return mergeReadings(
    later.members.map((member) => ({ name: member.name, reading: windows.get(member.id)! })),
  );
}

/** By id. */
export function memberWindows(earlier: Figures, later: Figures): Map<string, Reading> {
  return new Map(
    (later.members ?? []).map((member) => {
      const before = earlier.members?.find(({ id }) => id === member.id);
      return [member.id, before === undefined ? member.reading : between(before.reading, member.reading)];
    }),
  );
}

export function diffsBetween(earlier: Figures, later: Figures): DiffsView | null {
  if (later.members === null || earlier.members === null)
    return later.diffs === null || earlier.diffs === null
      ? later.diffs
      : subtractDiffs(later.diffs, earlier.diffs);
  return mergeDiffs(
    later.members.map(({ id, diffs }) => {
      const before = earlier.members!.find((member) => member.id === id)?.diffs ?? null;
      return diffs === null || before === null ? diffs : subtractDiffs(diffs, before);
    }),
  );
}

function ofAdmin(place: AdminPlace): FigureSource {
  return {
    name: place.admin,
    look: async (withDiffs) => {
      const [reading, diffs, rollouts] = await Promise.all([
        readFigures(place),
        withDiffs ? readDiffs(place) : null,
        readRollouts(place),
      ]);
      return { reading, diffs, rollouts, members: null, notes: [] };
    },
    close: async () => {},
  };
}

async function ofFleet({ instance, ...place }: FleetChoice): Promise<FigureSource> {
  const reader = await FleetReader.open(place);
  const address = formatFleetAddress({ ...place, nats: { ...place.nats, user: null } });
  return {
    name: instance === null ? address : `${instance} of ${address}`,
    look: async () => {
      const fleet = await reader.read();
      const members = fleet.members.filter(({ name }) => instance === null || name === instance);
      if (members.length === 0) {
        const names = [...new Set(fleet.members.map(({ name }) => name))].join(', ');
        throw new Error(`there is no instance ${instance}; instances: ${names}`);
      }
      return {
        reading: mergeReadings(members),
        diffs: mergeDiffs(members.map(({ diffs }) => diffs)),
        members,
        rollouts: rolloutsOf(members),
        notes: [...fleet.notes, ...rollCallNotes(members)],
      };
    },
    close: () => reader.close(),
  };
}

/** Throws `AdminError`. */
async function readFigures(place: AdminPlace): Promise<Reading> {
  const json = await askAdmin(place, 'api/histograms');
  try {
    return decodeReading(json);
  } catch (error) {
    throw new AdminError((error as Error).message, 0);
  }
}

/** Null where this umbra compares nothing. Throws `AdminError`. */
async function readDiffs(place: AdminPlace): Promise<DiffsView | null> {
  try {
    return parseDiffs(await askAdmin(place, 'api/diffs'));
  } catch (error) {
    if (error instanceof AdminError && error.status === notFound) return null;
    throw error;
  }
}

/** Empty where this umbra is older than rollouts. Throws `AdminError`. */
async function readRollouts(place: AdminPlace): Promise<readonly RolloutNote[]> {
  try {
    const { rollouts } = await askAdmin(place, 'api/status');
    return Array.isArray(rollouts) ? (rollouts as RolloutNote[]) : [];
  } catch (error) {
    if (error instanceof AdminError && error.status === notFound) return [];
    throw error;
  }
}
