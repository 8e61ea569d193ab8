/** What the commands read of a running umbra: all its figures, and its differences where it compares responses. */
import { type DiffsView, parseDiffs } from '../../core/report/diffs.js';
import { decodeReading } from '../../core/report/raw-reading.js';
import type { Reading } from '../../core/report/reading.js';
import { AdminError, type AdminPlace, askAdmin } from './admin-client.js';

const notFound = 404;

/** Throws `AdminError`. */
export async function readFigures(place: AdminPlace): Promise<Reading> {
  const json = await askAdmin(place, 'api/histograms');
  try {
    return decodeReading(json);
  } catch (error) {
    throw new AdminError((error as Error).message, 0);
  }
}

/** Null where this umbra compares nothing. Throws `AdminError`. */
export async function readDiffs(place: AdminPlace): Promise<DiffsView | null> {
  try {
    return parseDiffs(await askAdmin(place, 'api/diffs'));
  } catch (error) {
    if (error instanceof AdminError && error.status === notFound) return null;
    throw error;
  }
}
