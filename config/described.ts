/** Where the types of Protocol Buffers come from, as a plan has it. */
import { createHash } from 'node:crypto';
import type { ProtobufPlan } from '../core/plan.js';

/** In place of a file: the primary is asked by server reflection. A file of that name is `./reflection`. */
const REFLECTION = 'reflection';

export function isReflection({ path }: { readonly path: string }): boolean {
  return path === REFLECTION;
}

/** The part of a plan that `bytes`, a FileDescriptorSet, are. */
export function describedBy(bytes: Uint8Array): ProtobufPlan {
  const descriptors = new SharedArrayBuffer(bytes.length);
  new Uint8Array(descriptors).set(bytes);
  return { descriptors, digest: createHash('sha256').update(bytes).digest('hex') };
}
