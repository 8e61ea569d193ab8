/** What a comparison of two documents follows: the rules of the mirror, and the form of the documents. */
import type { Tolerance } from '../plan.js';
import type { Redaction } from '../redact.js';
import type { Difference, DifferenceKind } from './difference.js';
import type { PathRules } from './path-rules.js';

/** The rules of a mirror's `compare` for documents. */
export interface JsonRules {
  readonly paths: PathRules;
  readonly tolerance: Tolerance;
  readonly arrays: 'ordered' | 'unordered';
  readonly redaction: Redaction;
}

/** Called once for each identity, in the order of the primary's document. */
export type OnDifference = (difference: Difference) => void;

/** How the places of a document are written, and what is special about its leaves. */
export interface DocumentForm {
  readonly kind: DifferenceKind;
  /** The step from a node to its member or item, in an exact place and in a group's path. */
  readonly step: (key: string | number, exact: boolean) => string;
  readonly root: string;
  /** Takes over a leaf of two texts; false: they are compared as values. */
  readonly texts?: (primary: string, shadow: string, path: string, on: OnDifference) => boolean;
}
