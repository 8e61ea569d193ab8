/** Reading what may not be readable. */
import { BodyFault } from './body.js';
import type { NotComparableReason } from './difference.js';
import { JsonFault } from './json.js';

export type Attempt<T> =
  | { readonly value: T; readonly fault: null }
  | { readonly value?: undefined; readonly fault: NotComparableReason };

export function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run(), fault: null };
  } catch (error) {
    if (error instanceof BodyFault || error instanceof JsonFault) return { fault: error.reason };
    throw error;
  }
}
