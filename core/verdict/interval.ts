/** A range of values; both ends are in the same unit as what they bound. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}
