/** The result of scanning a head: the scanner's type says what is set, and where a fault is. */
export const Scan = {
  /** The head is complete. */
  DONE: 0,
  /** The bytes end within the head. */
  PARTIAL: 1,
  /** Rejected, for the reason in `fault`. */
  REFUSED: 2,
} as const;
export type Scan = (typeof Scan)[keyof typeof Scan];
