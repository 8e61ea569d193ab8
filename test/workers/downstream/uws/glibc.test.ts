import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { rewriteForOlderGlibc } from '../../../../workers/downstream/uws/glibc.js';
import t from '../../../support/tap.js';

const directory = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'));
const image = (name: string): Buffer => readFileSync(join(directory, name));
const sample = image('uws_linux_x64_115.node');

const DynamicTag = { END: 0, STRTAB: 5, SYMTAB: 6, VERSYM: 0x6ffffff0, VERNEED: 0x6ffffffe } as const;
const PROGRAM_DYNAMIC = 2;

interface Needs {
  /** `name@version` of every symbol that is asked of a library with a version. */
  readonly symbols: string[];
  readonly versions: { readonly name: string; readonly hash: number; readonly index: number }[];
}

/** Reads a file the way the dynamic linker does, by its dynamic segment: the rewrite goes by sections. */
function readNeeds(elf: Buffer): Needs {
  const at = (offset: number): number => Number(elf.readBigUInt64LE(offset));
  const tags = new Map<number, number>();
  for (let i = 0; i < elf.readUInt16LE(56); i++) {
    const program = at(32) + i * elf.readUInt16LE(54);
    if (elf.readUInt32LE(program) !== PROGRAM_DYNAMIC) continue;
    for (let entry = at(program + 8); at(entry) !== DynamicTag.END; entry += 16)
      tags.set(at(entry), at(entry + 8));
  }
  // All of these tables are in the first segment, whose addresses are offsets.
  const strings = tags.get(DynamicTag.STRTAB)!;
  const text = (offset: number): string =>
    elf.toString('latin1', strings + offset, elf.indexOf(0, strings + offset));
  const versions: Needs['versions'] = [];
  for (let library = tags.get(DynamicTag.VERNEED)!; ; ) {
    let entry = library + elf.readUInt32LE(library + 8);
    for (let left = elf.readUInt16LE(library + 2); left > 0; left--) {
      versions.push({
        hash: elf.readUInt32LE(entry),
        index: elf.readUInt16LE(entry + 6),
        name: text(elf.readUInt32LE(entry + 8)),
      });
      entry += elf.readUInt32LE(entry + 12);
    }
    const next = elf.readUInt32LE(library + 12);
    if (next === 0) break;
    library += next;
  }
  const symbols: string[] = [];
  const first = tags.get(DynamicTag.SYMTAB)!;
  // The string table follows the symbols directly.
  for (let i = 0; first + i * 24 < strings; i++) {
    const index = elf.readUInt16LE(tags.get(DynamicTag.VERSYM)! + i * 2);
    const version = versions.find((need) => need.index === index);
    if (version !== undefined) symbols.push(`${text(elf.readUInt32LE(first + i * 24))}@${version.name}`);
  }
  return { symbols, versions };
}

/** The hash function of the System V ABI, by which the dynamic linker compares versions. */
function sysvHash(name: string): number {
  let hash = 0;
  for (const char of Buffer.from(name)) {
    hash = (hash << 4) + char;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

for (const [arch, base, moved] of [
  ['x64', 'GLIBC_2.2.5', ['sscanf', 'strtol', 'strtoul']],
  ['arm64', 'GLIBC_2.17', ['strtol', 'strtoul']],
] as const) {
  for (const abi of [115, 127, 137, 141]) {
    t.test(
      `the file for ${arch} and ABI ${abi} asks for nothing newer than glibc 2.36 afterwards`,
      async (t) => {
        const before = image(`uws_linux_${arch}_${abi}.node`);
        const untouched = Buffer.from(before);
        const after = rewriteForOlderGlibc(before);
        t.ok(before.equals(untouched), 'the input is left alone');
        t.equal(after.length, before.length);

        const old = readNeeds(before);
        const made = readNeeds(after);
        t.ok(old.symbols.some((symbol) => symbol.endsWith('@GLIBC_2.38')));
        const renamed = (symbol: string): string =>
          symbol.replace(/^__isoc23_(.*)@GLIBC_2\.38$/, `$1@${base}`);
        t.same(made.symbols, old.symbols.map(renamed), 'only those symbols changed');
        t.same(
          made.symbols.filter((symbol, i) => symbol !== old.symbols[i]).sort(),
          moved.map((name) => `${name}@${base}`),
        );
        t.same(
          made.versions.map(({ name }) => name),
          old.versions.map(({ name }) => (name === 'GLIBC_2.38' ? base : name)),
        );
        t.same(
          made.versions.map(({ index }) => index),
          old.versions.map(({ index }) => index),
          'no index changed',
        );
        for (const { name, hash } of made.versions) t.equal(hash, sysvHash(name), name);
      },
    );
  }
}

t.test('a file that was rewritten already is refused', async (t) => {
  t.throws(() => rewriteForOlderGlibc(rewriteForOlderGlibc(sample)), {
    message: 'the file does not need GLIBC_2.38',
  });
});

t.test('what is no ELF file, or one of another kind, is refused', async (t) => {
  t.throws(() => rewriteForOlderGlibc(Buffer.alloc(0)), { message: 'not an ELF file' });
  t.throws(() => rewriteForOlderGlibc(Buffer.from('#!/bin/sh\n'.repeat(100))), {
    message: 'not an ELF file',
  });
  t.throws(() => rewriteForOlderGlibc(image('uws_darwin_arm64_115.node')), { message: 'not an ELF file' });
  t.throws(() => rewriteForOlderGlibc(image('uws_win32_x64_115.node')), { message: 'not an ELF file' });
  const changed = (offset: number, value: number): Buffer => {
    const copy = Buffer.from(sample.subarray(0, 64));
    copy[offset] = value;
    return copy;
  };
  t.throws(() => rewriteForOlderGlibc(changed(4, 1)), { message: 'not a little-endian ELF-64 file' });
  t.throws(() => rewriteForOlderGlibc(changed(5, 2)), { message: 'not a little-endian ELF-64 file' });
  t.throws(() => rewriteForOlderGlibc(changed(18, 3)), { message: 'unknown ELF machine 3' });
});

t.test('a file that is cut short anywhere is refused', async (t) => {
  fc.assert(
    fc.property(fc.nat(sample.length - 1), (bytes) => {
      t.throws(() => rewriteForOlderGlibc(sample.subarray(0, bytes)), {
        message: bytes < 64 ? 'not an ELF file' : 'the ELF file is cut short',
      });
    }),
    { numRuns: 30 },
  );
});
