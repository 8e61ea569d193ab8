/** Compression of archives. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

/**
 * A piece of this size is a member of its own: a gzip file is a sequence of members (RFC 1952, section 2.2).
 * Node's binary is most of each archive, and is so compressed once for all of them.
 */
const OWN_MEMBER_BYTES = 16 * 1024 * 1024;
const members = new WeakMap<Buffer, Promise<Buffer>>();

/** The header has neither name nor time, so equal pieces are equal bytes with one release of zlib. */
export async function gzipOf(pieces: readonly Buffer[]): Promise<Buffer> {
  const parts: Promise<Buffer>[] = [];
  let small: Buffer[] = [];
  const flush = (): void => {
    if (small.length > 0) parts.push(compress(Buffer.concat(small), { level: 9 }));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < OWN_MEMBER_BYTES) {
      small.push(piece);
      continue;
    }
    flush();
    const member = members.get(piece) ?? compress(piece, { level: 6 });
    members.set(piece, member);
    parts.push(member);
  }
  flush();
  return Buffer.concat(await Promise.all(parts));
}
