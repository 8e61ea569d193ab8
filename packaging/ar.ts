/** Archives in the format of `ar`, which a Debian package is (deb(5)). */

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;

export interface Member {
  readonly name: string;
  readonly content: Buffer;
}

export function arOf(members: readonly Member[], timeS: number): Buffer {
  const pieces: Buffer[] = [Buffer.from(MAGIC)];
  for (const { name, content } of members) {
    const fields = [
      name.padEnd(16),
      String(timeS).padEnd(12),
      '0'.padEnd(6),
      '0'.padEnd(6),
      '100644'.padEnd(8),
      String(content.length).padEnd(10),
    ];
    const header = `${fields.join('')}\`\n`;
    if (header.length !== HEADER_BYTES) throw new Error(`${name} does not fit into an ar header`);
    pieces.push(Buffer.from(header), content);
    // Members begin at even offsets.
    if (content.length % 2 === 1) pieces.push(Buffer.from('\n'));
  }
  return Buffer.concat(pieces);
}
