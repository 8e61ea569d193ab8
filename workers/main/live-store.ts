/** The file of live changes in the state directory. Main thread. */
import { readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.js';
import { isoTime } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import { decodeLive, encodeLive } from '../../core/live/live-record.js';
import { type LiveState, noLiveState } from '../../core/live/live-state.js';

const fileName = 'live.json';

export interface LiveRead {
  readonly state: LiveState;
  /** Why the file could not be used, in one line that names it; null: it could, or there is none. */
  readonly problem: string | null;
}

/** `readLive` never throws. */
export function readLive(directory: string): LiveRead {
  const file = join(directory, fileName);
  try {
    if (statSync(file).size > limits.liveStateBytes)
      return unusable(`${file} is larger than ${limits.liveStateBytes} bytes`);
    const decoded = decodeLive(readFileSync(file, 'utf8'));
    return decoded.ok ? { state: decoded.state, problem: null } : unusable(`${file} ${decoded.why}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { state: noLiveState, problem: null };
    return unusable(`${file} can't be read: ${code ?? message}`);
  }
}

/**
 * `setAside` renames a file that can't be used, so that the next change does not overwrite it. It returns the
 * new name, or why it could not be renamed.
 */
export function setAside(directory: string, nowMs: number): string {
  const file = join(directory, fileName);
  const aside = `${file}.unusable-${isoTime(nowMs).replaceAll(':', '')}`;
  try {
    renameSync(file, aside);
    return `it is kept as ${aside}`;
  } catch (error) {
    return `it can't be renamed: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** `writeLive` rejects with an Error of one line that names the file. */
export async function writeLive(directory: string, state: LiveState): Promise<void> {
  const file = join(directory, fileName);
  const text = encodeLive(state);
  if (Buffer.byteLength(text) > limits.liveStateBytes)
    throw new Error(`${file} would be larger than ${limits.liveStateBytes} bytes`);
  try {
    await replaceFile(file, text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${file} can't be written: ${code ?? message}`);
  }
}

function unusable(problem: string): LiveRead {
  return { state: noLiveState, problem };
}
