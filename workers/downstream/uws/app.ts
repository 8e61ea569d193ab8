import type { ListenerTlsPlan } from '../../../core/plan.js';
import type { Uws, UwsApp } from './binding.js';

/**
 * A uWS app with or without TLS. Throws an Error of one line that names the files if uWS can't use them; it
 * gives no reason.
 */
export function newApp(uws: Uws, tls: ListenerTlsPlan | null): UwsApp {
  if (tls === null) return uws.App();
  try {
    return uws.SSLApp({ key_file_name: tls.key.path, cert_file_name: tls.cert.path });
  } catch (cause) {
    throw new Error(`the certificate or key can't be used: ${tls.cert.path}, ${tls.key.path}`, { cause });
  }
}
