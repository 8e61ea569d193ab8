/** `umbra version`: what to put into a report of a fault. */
import type { CommandIo } from '../../config/commands/index.js';
import type { VersionOptions } from '../../config/commands/version.js';
import { exitOk } from '../../config/exit-codes.js';
import { builtCommit, packageVersion } from '../../config/package-file.js';
import { loadUws } from '../downstream/uws/load.js';

interface ProcessReport {
  readonly header: { readonly glibcVersionRuntime?: string };
}

/** Resolves with the exit code 0. */
export async function versionCommand({ output }: VersionOptions, io: CommandIo): Promise<number> {
  const uws = loadUws();
  const found = {
    version: packageVersion(),
    commit: builtCommit(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    glibc: (process.report.getReport() as unknown as ProcessReport).header.glibcVersionRuntime ?? null,
    engines: {
      node: { loads: true, reason: null },
      uws: { loads: uws.kind === 'loaded', reason: uws.kind === 'loaded' ? null : uws.reason },
    },
  };
  if (output === 'json') {
    io.out(JSON.stringify(found, null, 2));
    return exitOk;
  }
  const { version, commit, node, platform, glibc, engines } = found;
  io.out(`umbra ${version}${commit === null ? '' : ` (commit ${commit})`}`);
  io.out(`Node ${node} on ${platform}${glibc === null ? '' : `, glibc ${glibc}`}`);
  io.out(`engines: node, ${engines.uws.loads ? 'uws' : `but not uws (${engines.uws.reason})`}`);
  return exitOk;
}
