/**
 * Critical values of the two distributions that checks compare with. Pure. Sources: M. J. Wichura, "Algorithm
 * AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), routine PPND7; M.
 * Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions" (1964), expansion 26.7.5 of Student's
 * distribution.
 */

/** `normalQuantile` returns the standard normal quantile of `p` (above 0, below 1), to seven digits. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q * (((59.109374 * r + 159.29113) * r + 50.434271) * r + 3.3871327)) /
      (((67.1875636 * r + 78.757757) * r + 17.895169) * r + 1)
    );
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const z =
    r <= 5
      ? (((0.17023821 * (r - 1.6) + 1.306728) * (r - 1.6) + 2.7568153) * (r - 1.6) + 1.4234372) /
        ((0.12021132 * (r - 1.6) + 0.737001964) * (r - 1.6) + 1)
      : (((0.017337 * (r - 5) + 0.42868294) * (r - 5) + 3.081226) * (r - 5) + 6.657905) /
        ((0.012258202 * (r - 5) + 0.24197894) * (r - 5) + 1);
  return q < 0 ? -z : z;
}

/**
 * `studentQuantile` returns Student's quantile of `p` for `df` degrees of freedom: within 0.1 % from 9 on.
 */
export function studentQuantile(p: number, df: number): number {
  const z = normalQuantile(p);
  const z2 = z * z;
  const terms = [
    (z * (z2 + 1)) / 4,
    (z * ((5 * z2 + 16) * z2 + 3)) / 96,
    (z * (((3 * z2 + 19) * z2 + 17) * z2 - 15)) / 384,
    (z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945)) / 92_160,
  ];
  return terms.reduce((sum, term, i) => sum + term / df ** (i + 1), z);
}
