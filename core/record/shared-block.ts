/**
 * `sharedBlock` returns a block of shared memory that takes physical memory only for the pages that are
 * written.
 *
 * The options change where V8 gets the block. A block that may grow is mapped by itself, and any other is
 * calloc'ed. glibc's calloc takes blocks of this size from its heap once a larger one has been freed, and
 * then clears about 100 KiB of each explicitly. As the maximum equals the length, views of this block are as
 * fast as any.
 */
export function sharedBlock(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes, { maxByteLength: bytes });
}
