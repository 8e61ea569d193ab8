/** Packages outside of the bundle: native code, threads of their own, and what most starts never load. */
export const external = [
  'uWebSockets.js',
  'pino-pretty',
  'piscina',
  'autocannon',
  'uplot',
  '@nats-io/*',
] as const;

export function isExternal(name: string): boolean {
  return external.some((one) => one === name || (one.endsWith('/*') && name.startsWith(one.slice(0, -1))));
}
