/**
 * A block of shared memory of which only the pages that are written take memory.
 *
 * The options change where V8 gets the block. A block that may grow is mapped by itself, and any other is
 * calloc'ed. glibc's calloc takes blocks of this size from its heap once a larger one has been freed, and
 * clears about 100 KiB of each by hand. That this one may not grow beyond what it has makes its views as fast
 * as any.
 */
export function sharedBlock(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes, { maxByteLength: bytes });
}
