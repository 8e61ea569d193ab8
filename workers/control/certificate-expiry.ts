/**
 * When the certificates of the plan in force expire: those of listeners, and those for versions that ask for
 * one.
 */
import { X509Certificate } from 'node:crypto';
import type { Plan } from '../../core/plan.js';
import type { CertificateExpiry } from '../../core/report/control-counts.js';
import { addressText } from '../../core/upstream/target.js';

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export function certificateExpiries({
  listeners,
  versions,
}: Pick<Plan, 'listeners' | 'versions'>): CertificateExpiry[] {
  const found: CertificateExpiry[] = [];
  const add = (use: CertificateExpiry['use'], name: string, pem: string): void => {
    const expiresMs = earliest(pem);
    if (expiresMs !== null) found.push({ use, name, expiresMs });
  };
  for (const { address, tls } of listeners)
    if (tls !== null) add('listener', addressText(address), tls.cert.pem);
  for (const { name, tls } of versions) {
    if (tls !== null && tls.cert !== null) add('version', name, tls.cert.pem);
  }
  return found;
}

/**
 * The earliest end of the certificates of a chain, in milliseconds since 1970. The plan has read them
 * before.
 */
function earliest(pem: string): number | null {
  const ends = (pem.match(block) ?? []).map((one) => Date.parse(new X509Certificate(one).validTo));
  return ends.length === 0 ? null : Math.min(...ends);
}
