/**
 * A certificate for the listeners of a run, made by openssl and named by path; null where openssl is missing.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInstalled } from '../placement.js';

export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
  /** Both in one file, as HAProxy wants it. */
  readonly bothPath: string;
}

let made: Certificate | null = null;

/** The same one for the whole run. */
export function certificate(): Certificate | null {
  if (made === null && isInstalled('openssl')) made = makeCertificate();
  return made;
}

function makeCertificate(): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-bench-tls-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const [certPath, keyPath, bothPath] = ['cert.pem', 'key.pem', 'both.pem'].map((name) =>
    join(directory, name),
  );
  const words =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1';
  execFileSync('openssl', [...words.split(' '), '-keyout', keyPath, '-out', certPath], { stdio: 'ignore' });
  writeFileSync(bothPath, readFileSync(certPath, 'latin1') + readFileSync(keyPath, 'latin1'));
  return { certPath, keyPath, bothPath };
}
