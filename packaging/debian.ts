/** The Debian package: `umbra_VERSION_ARCHITECTURE.deb` (deb(5), and Debian's policy for what lies where). */
import { createHash } from 'node:crypto';
import { packageVersion } from '../config/package-file.js';
import { arOf } from './ar.js';
import { gzipOf } from './gzip.js';
import type { Architecture } from './node-release.js';
import { share, systemFile } from './program.js';
import { tarOf } from './tar.js';
import { file, link, type Tree } from './tree.js';

export const debianNames: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Files that an administrator edits: an upgrade keeps their changes. */
const editable = { 'etc/umbra/umbra.yaml': 'umbra.yaml', 'etc/logrotate.d/umbra': 'logrotate.conf' };

/** Where a Debian system looks for what `program` puts below `share`. */
const shared = {
  'usr/share/bash-completion/completions/umbra': 'completion/umbra.bash',
  'usr/share/zsh/vendor-completions/_umbra': 'completion/umbra.zsh',
  'usr/share/fish/vendor_completions.d/umbra.fish': 'completion/umbra.fish',
};

const system = {
  'usr/lib/systemd/system/umbra.service': 'umbra.service',
  'usr/lib/sysctl.d/50-umbra.conf': 'sysctl.conf',
  'usr/lib/sysusers.d/umbra.conf': 'sysusers.conf',
  'usr/lib/tmpfiles.d/umbra.conf': 'tmpfiles.conf',
};

export async function debianPackage(
  program: Tree,
  architecture: Architecture,
  timeS: number,
): Promise<Buffer> {
  const data = await installed(program);
  const control: Tree = new Map([
    ['control', file(controlFile(data, architecture))],
    ['conffiles', file(linesOf(Object.keys(editable).map((path) => `/${path}`)))],
    [
      'md5sums',
      file(linesOf([...data].flatMap(([path, entry]) => sumOf(path, entry.content, entry.target)))),
    ],
    ...(['postinst', 'prerm', 'postrm'] as const).map(
      (name) => [name, file(systemFile(`${name}.sh`), true)] as const,
    ),
  ]);
  const [controlGz, dataGz] = await Promise.all(
    [control, data].map((tree) => gzipOf(tarOf(tree, './', timeS))),
  );
  return arOf(
    [
      { name: 'debian-binary', content: Buffer.from('2.0\n') },
      { name: 'control.tar.gz', content: controlGz! },
      { name: 'data.tar.gz', content: dataGz! },
    ],
    timeS,
  );
}

async function installed(program: Tree): Promise<Tree> {
  const tree: Tree = new Map();
  for (const [path, entry] of program) {
    if (!path.startsWith(`${share}/`) && path !== 'umbra.yaml') tree.set(`usr/lib/umbra/${path}`, entry);
  }
  tree.set('usr/bin/umbra', link('../lib/umbra/bin/umbra'));
  for (const [path, name] of Object.entries({ ...editable, ...system }))
    tree.set(path, file(systemFile(name)));
  // Debian's place for documentation is the same as that of the archive.
  for (const [path, entry] of program) if (path.startsWith(`${share}/doc/`)) tree.set(`usr/${path}`, entry);
  for (const [path, name] of Object.entries(shared)) tree.set(path, program.get(`${share}/${name}`)!);
  const page = await gzipOf([program.get(`${share}/man/umbra.1`)!.content]);
  tree.set('usr/share/man/man1/umbra.1.gz', file(page));
  tree.set('usr/share/doc/umbra/copyright', file(copyright));
  return tree;
}

function controlFile(data: Tree, architecture: Architecture): string {
  const bytes = [...data.values()].reduce((total, { content }) => total + content.length, 0);
  return linesOf([
    'Package: umbra',
    `Version: ${packageVersion()}`,
    `Architecture: ${debianNames[architecture]}`,
    'Maintainer: the umbra authors <umbra@localhost>',
    `Installed-Size: ${Math.ceil(bytes / 1024)}`,
    // What Node's binary is linked to. The uws engine's addon needs libc6 2.36.
    'Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 8), passwd',
    'Recommends: logrotate',
    'Section: web',
    'Priority: optional',
    'Description: traffic-mirroring reverse proxy',
    ' umbra sends every request to the released version of a service and a copy of it',
    ' to the next one. It compares the responses, and no client notices.',
  ]);
}

const copyright = `umbra is licensed under the Apache License, version 2.0:
/usr/share/common-licenses/Apache-2.0 and /usr/lib/umbra/LICENSE.

Node, /usr/lib/umbra/lib/node, has the licences in /usr/lib/umbra/lib/LICENSE-node.
Each package in /usr/lib/umbra/node_modules has its licence in its own folder.
`;

function sumOf(path: string, content: Buffer, target: string | null): string[] {
  return target === null ? [`${createHash('md5').update(content).digest('hex')}  ${path}`] : [];
}

function linesOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
