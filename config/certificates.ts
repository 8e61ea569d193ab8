/** Reads the certificates and keys that a configuration names, so that a file that won't do is told with its position. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type ConfigProblem, errorAt } from './problem.js';
import type { Config } from './schema.js';
import { markAt, type TreeNode } from './tree.js';

type VersionConfig = Config['versions'][string];
type TlsConfig = NonNullable<VersionConfig['tls']>;
const files = ['ca', 'cert', 'key'] as const;

/** `config` with the content of all files of `versions.*.tls`, and what is wrong with them. `unreadable` says why a file can't be read. */
export function readCertificates(
  config: Config,
  root: TreeNode,
  unreadable: (path: string) => string | null,
): { config: Config; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const versions = Object.entries(config.versions).map(([name, version]): [string, VersionConfig] => {
    if (version.tls === undefined) return [name, version];
    let tls: TlsConfig = version.tls;
    let sound = true;
    const tell = (key: (typeof files)[number], message: string): void => {
      sound = false;
      problems.push(
        errorAt(markAt(root, ['versions', name, 'tls', key]), `versions.${name}.tls.${key}: ${message}`),
      );
    };
    for (const key of files) {
      const file = tls[key];
      if (file === undefined) continue;
      const reason = unreadable(file.path);
      if (reason !== null) tell(key, `${file.path} can't be read: ${reason}`);
      else tls = { ...tls, [key]: { path: file.path, pem: readFileSync(file.path, 'utf8') } };
    }
    if (!sound) return [name, version];
    for (const key of ['ca', 'cert'] as const) {
      const reason = whyUnusable(tls, [key]);
      if (reason !== null) tell(key, `${tls[key]!.path} is no certificate in PEM: ${reason}`);
    }
    const reason = sound ? whyUnusable(tls, ['cert', 'key']) : null;
    if (reason !== null) tell('key', `${tls.key!.path} is not the key of ${tls.cert!.path}: ${reason}`);
    return [name, { ...version, tls }];
  });
  return { config: { ...config, versions: Object.fromEntries(versions) }, problems };
}

function whyUnusable(tls: TlsConfig, keys: readonly (typeof files)[number][]): string | null {
  const given = keys.flatMap((key) => (tls[key]?.pem == null ? [] : [[key, tls[key].pem]]));
  if (given.length === 0) return null;
  // An authority that OpenSSL can't read is passed over in silence, so that nothing would be trusted.
  if (keys[0] === 'ca' && !tls.ca!.pem!.includes('-----BEGIN CERTIFICATE-----')) return 'it holds none';
  try {
    createSecureContext(Object.fromEntries(given));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
