import type { ListenerTlsPlan } from '../../core/plan.js';

/** Whether two plans hold the same certificate and key, whatever their files are called. */
export function sameCertificate(a: ListenerTlsPlan | null, b: ListenerTlsPlan | null): boolean {
  return a?.cert.pem === b?.cert.pem && a?.key.pem === b?.key.pem;
}
