/**
 * Makes a copy of the uWebSockets.js addon that loads on a glibc older than 2.38 (Debian 12 has 2.36).
 *
 * The Linux binaries were linked against glibc 2.38, where `strtol`, `strtoul` and `sscanf` became
 * `__isoc23_strtol` and so on, with the version GLIBC_2.38. The only change in them is that they also read
 * binary literals (`0b1`). Each older twin's name is the tail of the new one, so no string has to be added:
 *
 *   .dynsym         the symbol's name begins 9 bytes later: `__isoc23_strtol` -> `strtol`
 *   .gnu.version    the symbol asks for the architecture's first glibc version
 *   .gnu.version_r  the need for GLIBC_2.38 becomes a second need for that first version
 *
 * No byte moves and no section grows. Rejected: a preloaded shim library (needs a compiler on the user's
 * machine) and patching in place (two processes may load the file while it changes).
 */

/**
 * Offsets and values from the System V ABI (ELF-64) and the Linux Standard Base's symbol versioning chapter.
 */
const Elf = {
  MAGIC: 0x7f454c46,
  CLASS_AT: 4,
  CLASS_64: 2,
  DATA_AT: 5,
  DATA_LITTLE_ENDIAN: 1,
  MACHINE_AT: 18,
  SECTION_TABLE_AT: 40,
  SECTION_COUNT_AT: 60,
  HEADER_BYTES: 64,
} as const;
const Section = { BYTES: 64, TYPE_AT: 4, OFFSET_AT: 24, SIZE_AT: 32, LINK_AT: 40 } as const;
const SectionType = { DYNSYM: 11, GNU_VERNEED: 0x6ffffffe, GNU_VERSYM: 0x6fffffff } as const;
const Symbol64 = { BYTES: 24, NAME_AT: 0, SECTION_AT: 6, UNDEFINED: 0 } as const;
const VERSYM_BYTES = 2;
const VerNeed = { AUX_COUNT_AT: 2, AUX_AT: 8, NEXT_AT: 12 } as const;
const VerNeedAux = { HASH_AT: 0, INDEX_AT: 6, NAME_AT: 8, NEXT_AT: 12 } as const;

/**
 * The first glibc version of each architecture, which all of its first functions carry. By ELF machine
 * number.
 */
const firstGlibc = new Map([
  [62 /* x86-64 */, 'GLIBC_2.2.5'],
  [183 /* AArch64 */, 'GLIBC_2.17'],
]);
const NEW_GLIBC = 'GLIBC_2.38';
const NEW_PREFIX = '__isoc23_';

interface Span {
  readonly at: number;
  readonly bytes: number;
  /** Index of the section that this one refers to: its string table. */
  readonly link: number;
}

interface VersionNeed {
  /** Where its entry begins in the file. */
  readonly at: number;
  readonly name: string;
  readonly index: number;
}

/**
 * A rewritten copy of `image`; `image` is not changed. Throws an Error that says what is wrong with the file
 * when it is not an ELF-64 file of a known machine, is cut short, or needs nothing (or something else) of
 * GLIBC_2.38.
 */
export function rewriteForOlderGlibc(image: Buffer): Buffer {
  const machine = checkHeader(image);
  const first = firstGlibc.get(machine);
  if (first === undefined) throw new Error(`unknown ELF machine ${machine}`);
  try {
    const copy = Buffer.from(image);
    rewrite(copy, first);
    return copy;
  } catch (error) {
    if (error instanceof RangeError) throw new Error('the ELF file is cut short', { cause: error });
    throw error;
  }
}

function checkHeader(image: Buffer): number {
  if (image.length < Elf.HEADER_BYTES || image.readUInt32BE(0) !== Elf.MAGIC)
    throw new Error('not an ELF file');
  if (image[Elf.CLASS_AT] !== Elf.CLASS_64 || image[Elf.DATA_AT] !== Elf.DATA_LITTLE_ENDIAN) {
    throw new Error('not a little-endian ELF-64 file');
  }
  return image.readUInt16LE(Elf.MACHINE_AT);
}

/** Throws RangeError when anything lies outside of the file. */
function rewrite(elf: Buffer, firstVersion: string): void {
  const symbols = findSection(elf, SectionType.DYNSYM);
  const versions = findSection(elf, SectionType.GNU_VERSYM);
  const needs = findSection(elf, SectionType.GNU_VERNEED);
  const strings = readSection(elf, symbols.link);

  const found = readNeeds(elf, needs, readSection(elf, needs.link));
  const newer = found.find((need) => need.name === NEW_GLIBC);
  const older = found.find((need) => need.name === firstVersion);
  if (newer === undefined) throw new Error(`the file does not need ${NEW_GLIBC}`);
  if (older === undefined) throw new Error(`the file does not need ${firstVersion}`);

  for (let i = 0; i * Symbol64.BYTES < symbols.bytes; i++) {
    const versionAt = versions.at + i * VERSYM_BYTES;
    if (elf.readUInt16LE(versionAt) !== newer.index) continue;
    const symbolAt = symbols.at + i * Symbol64.BYTES;
    const nameAt = elf.readUInt32LE(symbolAt + Symbol64.NAME_AT);
    const name = readString(elf, strings, nameAt);
    if (
      elf.readUInt16LE(symbolAt + Symbol64.SECTION_AT) !== Symbol64.UNDEFINED ||
      !name.startsWith(NEW_PREFIX)
    ) {
      throw new Error(`${name} needs ${NEW_GLIBC} and has no older twin`);
    }
    elf.writeUInt32LE(nameAt + NEW_PREFIX.length, symbolAt + Symbol64.NAME_AT);
    elf.writeUInt16LE(older.index, versionAt);
  }

  // The entry keeps its own index: the dynamic linker accepts two entries for one version, not two with one
  // index.
  elf.copy(
    elf,
    newer.at + VerNeedAux.HASH_AT,
    older.at + VerNeedAux.HASH_AT,
    older.at + VerNeedAux.HASH_AT + 4,
  );
  elf.copy(
    elf,
    newer.at + VerNeedAux.NAME_AT,
    older.at + VerNeedAux.NAME_AT,
    older.at + VerNeedAux.NAME_AT + 4,
  );
}

/**
 * The dynamic linker itself goes by the dynamic segment; in a file as linked, both describe the same tables.
 */
function findSection(elf: Buffer, type: number): Span {
  const count = elf.readUInt16LE(Elf.SECTION_COUNT_AT);
  const table = readOffset(elf, Elf.SECTION_TABLE_AT);
  if (table + count * Section.BYTES > elf.length)
    throw new RangeError('section table past the end of the file');
  for (let i = 0; i < count; i++) {
    if (elf.readUInt32LE(table + i * Section.BYTES + Section.TYPE_AT) === type) return readSection(elf, i);
  }
  throw new Error(`the ELF file has no section of type ${type.toString(16)}`);
}

function readSection(elf: Buffer, index: number): Span {
  const at = readOffset(elf, Elf.SECTION_TABLE_AT) + index * Section.BYTES;
  const span = {
    at: readOffset(elf, at + Section.OFFSET_AT),
    bytes: readOffset(elf, at + Section.SIZE_AT),
    link: elf.readUInt32LE(at + Section.LINK_AT),
  };
  if (span.at + span.bytes > elf.length) throw new RangeError('section past the end of the file');
  return span;
}

function readNeeds(elf: Buffer, section: Span, strings: Span): VersionNeed[] {
  const needs: VersionNeed[] = [];
  let libraryAt = section.at;
  for (;;) {
    let at = libraryAt + elf.readUInt32LE(libraryAt + VerNeed.AUX_AT);
    for (let left = elf.readUInt16LE(libraryAt + VerNeed.AUX_COUNT_AT); left > 0; left--) {
      const name = readString(elf, strings, elf.readUInt32LE(at + VerNeedAux.NAME_AT));
      needs.push({ at, name, index: elf.readUInt16LE(at + VerNeedAux.INDEX_AT) });
      at += elf.readUInt32LE(at + VerNeedAux.NEXT_AT);
    }
    const next = elf.readUInt32LE(libraryAt + VerNeed.NEXT_AT);
    if (next === 0) return needs;
    libraryAt += next;
  }
}

function readString(elf: Buffer, strings: Span, offset: number): string {
  const from = strings.at + offset;
  const to = elf.indexOf(0, from);
  if (offset >= strings.bytes || to === -1) throw new RangeError('string past the end of its table');
  return elf.toString('latin1', from, to);
}

function readOffset(elf: Buffer, at: number): number {
  return Number(elf.readBigUInt64LE(at));
}
