/** Replaces a file atomically: after a crash either the old or the new text is on disk. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** `replaceFile` creates missing directories. It rejects with the error of the file system. */
export async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  const parent = await open(dirname(file), 'r');
  try {
    // The new name must be on disk too.
    await parent.sync();
  } finally {
    await parent.close();
  }
}
