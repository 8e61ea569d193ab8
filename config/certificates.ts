/**
 * Reads the certificates and keys of a configuration, so that an invalid file is reported with its position.
 */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type ConfigProblem, errorAt } from './problem.js';
import type { PemOf } from './schema/values.js';
import type { Config } from './schema.js';
import { markAt, type Path, type TreeNode } from './tree.js';

type VersionConfig = Config['versions'][string];
type ListenerConfig = Config['listen'][number];
const files = ['ca', 'cert', 'key'] as const;
type FileKey = (typeof files)[number];
interface TlsFiles {
  readonly ca?: PemOf | undefined;
  readonly cert?: PemOf | undefined;
  readonly key?: PemOf | undefined;
}

/** Returns why the file at a path can't be read, or null. */
type Unreadable = (path: string) => string | null;

/**
 * `readCertificates` returns `config` with the content of all files of `versions.*.tls` and `listen[].tls`,
 * and the problems found.
 */
export function readCertificates(
  config: Config,
  root: TreeNode,
  unreadable: Unreadable,
): { config: Config; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const versions = Object.entries(config.versions).map(([name, version]): [string, VersionConfig] => {
    if (version.tls === undefined) return [name, version];
    const report = reporterOf(problems, root, ['versions', name, 'tls'], `versions.${name}.tls`);
    return [name, { ...version, tls: readFiles(version.tls, unreadable, report) }];
  });
  const listen = config.listen.map((listener, index): ListenerConfig => {
    if (listener.tls === undefined) return listener;
    const report = reporterOf(problems, root, ['listen', index, 'tls'], `listen[${index}].tls`);
    return { ...listener, tls: readFiles(listener.tls, unreadable, report) };
  });
  return { config: { ...config, listen, versions: Object.fromEntries(versions) }, problems };
}

type Report = (key: FileKey, message: string) => void;

function reporterOf(problems: ConfigProblem[], root: TreeNode, path: Path, name: string): Report {
  return (key, message) => problems.push(errorAt(markAt(root, [...path, key]), `${name}.${key}: ${message}`));
}

/** `readFiles` returns `given` with the content of its files, and reports each invalid one. */
function readFiles<T extends TlsFiles>(given: T, unreadable: Unreadable, report: Report): T {
  let tls = given;
  let sound = true;
  const refuse: Report = (key, message) => {
    sound = false;
    report(key, message);
  };
  for (const key of files) {
    const file = tls[key];
    if (file === undefined) continue;
    const reason = unreadable(file.path);
    if (reason !== null) refuse(key, `${file.path} can't be read: ${reason}`);
    else tls = { ...tls, [key]: { path: file.path, pem: readFileSync(file.path, 'utf8') } };
  }
  if (!sound) return given;
  for (const key of ['ca', 'cert'] as const) {
    const reason = whyUnusable(tls, [key]);
    if (reason !== null) refuse(key, `${tls[key]!.path} is not a certificate in PEM: ${reason}`);
  }
  const reason = sound ? whyUnusable(tls, ['cert', 'key']) : null;
  if (reason !== null) report('key', `${tls.key!.path} is not the key of ${tls.cert!.path}: ${reason}`);
  return tls;
}

function whyUnusable(tls: TlsFiles, keys: readonly FileKey[]): string | null {
  const given = keys.flatMap((key) => (tls[key]?.pem == null ? [] : [[key, tls[key].pem]]));
  if (given.length === 0) return null;
  // OpenSSL silently skips an authority that it can't read, so that nothing would be trusted.
  if (keys[0] === 'ca' && !tls.ca!.pem!.includes('-----BEGIN CERTIFICATE-----'))
    return 'it holds no certificate';
  if (keys[0] === 'cert' && tls.cert?.pem === '') return 'it is empty';
  try {
    createSecureContext(Object.fromEntries(given));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
