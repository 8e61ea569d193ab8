/**
 * The shared blocks opened for reading, again with every plan. Used by the control thread, and by main for
 * the demo.
 */
import { type Observed, type ObservedBlocks, openObserved } from '../../core/report/observed.js';
import { openRing, usedBytes } from '../../core/ring/layout.js';

export function openObservation(blocks: ObservedBlocks): Observed {
  return openObserved(blocks, (ring) => usedBytes(openRing(ring)));
}
