/**
 * Archives in the format of POSIX `ustar`. Entries are sorted and belong to root, and all of them have the
 * same time, so that equal trees are equal bytes.
 */
import type { Tree, TreeFile } from './tree.js';

const BLOCK_BYTES = 512;
/** The fields of a header that is written, and where they begin (POSIX.1-2017, pax, "ustar Interchange"). */
const Field = {
  NAME: { at: 0, bytes: 100 },
  MODE: { at: 100, bytes: 8 },
  USER: { at: 108, bytes: 8 },
  GROUP: { at: 116, bytes: 8 },
  SIZE: { at: 124, bytes: 12 },
  TIME: { at: 136, bytes: 12 },
  CHECKSUM: { at: 148, bytes: 8 },
  TYPE: { at: 156, bytes: 1 },
  LINK: { at: 157, bytes: 100 },
  MAGIC: { at: 257, bytes: 8 },
  USER_NAME: { at: 265, bytes: 32 },
  GROUP_NAME: { at: 297, bytes: 32 },
  PREFIX: { at: 345, bytes: 155 },
} as const;
const Type = { FILE: '0', LINK: '2', FOLDER: '5' } as const;

interface Place {
  readonly at: number;
  readonly bytes: number;
}

/**
 * `tarOf` returns the archive of `tree` in pieces; the content of a file is a piece by itself. `root` is
 * written before each path (`umbra-0.2.0/`, `./`).
 */
export function tarOf(tree: Tree, root: string, timeS: number): Buffer[] {
  const folders = new Set([root]);
  for (const path of tree.keys()) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      folders.add(`${root}${path.slice(0, at)}/`);
    }
  }
  const entries = new Map<string, TreeFile | null>([...folders].map((folder) => [folder, null]));
  for (const [path, entry] of tree) entries.set(`${root}${path}`, entry);

  const pieces: Buffer[] = [];
  for (const path of [...entries.keys()].sort()) {
    const entry = entries.get(path)!;
    pieces.push(headerOf(path, entry, timeS));
    if (entry === null || entry.content.length === 0) continue;
    pieces.push(entry.content, Buffer.alloc(-entry.content.length & (BLOCK_BYTES - 1)));
  }
  // Two blocks of zeroes end an archive.
  pieces.push(Buffer.alloc(2 * BLOCK_BYTES));
  return pieces;
}

function headerOf(path: string, entry: TreeFile | null, timeS: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const { prefix, name } = splitPath(path);
  put(header, Field.NAME, name);
  put(header, Field.PREFIX, prefix);
  put(
    header,
    Field.MODE,
    octal(entry === null || entry.executable ? 0o755 : entry.target ? 0o777 : 0o644, 7),
  );
  put(header, Field.USER, octal(0, 7));
  put(header, Field.GROUP, octal(0, 7));
  put(header, Field.SIZE, octal(entry?.content.length ?? 0, 11));
  put(header, Field.TIME, octal(timeS, 11));
  put(header, Field.TYPE, entry === null ? Type.FOLDER : entry.target === null ? Type.FILE : Type.LINK);
  put(header, Field.LINK, entry?.target ?? '');
  put(header, Field.MAGIC, 'ustar\x0000');
  put(header, Field.USER_NAME, 'root');
  put(header, Field.GROUP_NAME, 'root');
  // The checksum counts its own field as blanks.
  put(header, Field.CHECKSUM, ' '.repeat(Field.CHECKSUM.bytes));
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(header, Field.CHECKSUM, `${octal(sum, 6)}\0 `);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** A path of more than 100 bytes is split at a slash, and its first part goes into the prefix. */
function splitPath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= Field.NAME.bytes) return { prefix: '', name: path };
  const at = path.indexOf('/', path.length - Field.NAME.bytes - 1);
  return { prefix: path.slice(0, at), name: path.slice(at + 1) };
}

function put(header: Buffer, { at, bytes }: Place, text: string): void {
  if (Buffer.byteLength(text) > bytes) throw new Error(`${text} is too long for an archive`);
  header.write(text, at, 'utf8');
}

/** `readTar` returns the content of `path` in an archive that npm made. Throws where it is missing. */
export function readTar(archive: Buffer, path: string): Buffer {
  for (let at = 0; at + BLOCK_BYTES <= archive.length; ) {
    const name = textAt(archive, at, Field.NAME);
    const size = Number.parseInt(textAt(archive, at, Field.SIZE), 8) || 0;
    const from = at + BLOCK_BYTES;
    if (name === path) return archive.subarray(from, from + size);
    at = from + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  throw new Error(`the archive has no ${path}`);
}

function textAt(archive: Buffer, from: number, { at, bytes }: Place): string {
  const field = archive.subarray(from + at, from + at + bytes);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? bytes : end);
}
