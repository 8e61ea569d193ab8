/**
 * Bills of materials in CycloneDX's JSON (cyclonedx.org, version 1.5). npm makes the one of the packages from
 * the lock file. The archives, Debian packages and images contain Node and one addon besides.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFile } from '../config/package-file.js';
import { type Architecture, nodeIntegrity, nodePackage, nodeVersion } from './node-release.js';
import { addonName, uws } from './production.js';
import type { Tree } from './tree.js';

interface Component {
  'bom-ref': string;
  type: string;
  name: string;
  version?: string;
  [field: string]: unknown;
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn: string[];
}

export interface Bill {
  serialNumber: string;
  metadata: { timestamp: string; component: Component };
  components: Component[];
  dependencies: Dependency[];
}

interface Manifest {
  devDependencies?: object;
}
interface Lock {
  packages: Record<string, Manifest & { readonly dev?: boolean }>;
}

/**
 * `billOfPackages` lists what npm installs of umbra and its dependencies. npm's own `--omit dev` leaves out
 * what users need and development needs too (npm 10 and 11), so npm receives both files without what is for
 * development alone. Throws where npm fails.
 */
export function billOfPackages(): Bill {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-sbom-'));
  try {
    const manifest = read<Manifest>('package.json');
    const lock = read<Lock>('package-lock.json');
    delete manifest.devDependencies;
    delete lock.packages['']!.devDependencies;
    for (const [path, { dev }] of Object.entries(lock.packages)) if (dev === true) delete lock.packages[path];
    writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(lock));
    const words = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'];
    const { status, stdout, stderr } = spawnSync('npm', words, {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`npm sbom ended with ${status}:\n${stderr}`);
    const bill = JSON.parse(stdout) as Bill;
    // npm names the program by its folder.
    Object.assign(bill.metadata.component, { name: 'umbra', type: 'application' });
    return bill;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** `billOfProgram` adds to `packages` what `program` contains besides: Node, and the addon as it is there. */
export function billOfProgram(packages: Bill, architecture: Architecture, program: Tree): Bill {
  const bill = structuredClone(packages);
  const umbra = bill.metadata.component['bom-ref'];
  const addon = addonName(architecture);
  const library = bill.components.find(({ name }) => name === uws);
  if (library === undefined) throw new Error(`npm's bill of materials has no ${uws}`);
  const node: Component = {
    'bom-ref': `node@${nodeVersion}`,
    type: 'application',
    name: 'node',
    version: nodeVersion,
    purl: `pkg:npm/${nodePackage(architecture)}@${nodeVersion}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${nodeVersion}:*:*:*:*:*:*:*`,
    licenses: [{ license: { id: 'MIT' } }],
    hashes: [{ alg: 'SHA-512', content: Buffer.from(nodeIntegrity[architecture], 'base64').toString('hex') }],
    components: [fileOf(program, 'lib/node')],
  };
  bill.components.push(node, fileOf(program, `node_modules/${uws}/${addon}`));
  dependenciesOf(bill, umbra).push(node['bom-ref']);
  dependenciesOf(bill, library['bom-ref']).push(`node_modules/${uws}/${addon}`);
  return bill;
}

/**
 * `billText` gives a bill the time `timeS` and a number that follows from its content, so that equal
 * artefacts have equal bills.
 */
export function billText(bill: Bill, timeS: number): string {
  const dated = structuredClone(bill);
  dated.metadata.timestamp = new Date(timeS * 1000).toISOString();
  dated.serialNumber = '';
  const hex = createHash('sha256').update(JSON.stringify(dated)).digest('hex');
  // A UUID of the version 8, whose other bits are free (RFC 9562, section 5.8).
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  dated.serialNumber = `urn:uuid:${[...parts, hex.slice(20, 32)].join('-')}`;
  return `${JSON.stringify(dated, null, 2)}\n`;
}

/** A file as it is in the artefact. The addon is not the one of its package (decision 011). */
function fileOf(program: Tree, path: string): Component {
  const content = createHash('sha256').update(program.get(path)!.content).digest('hex');
  return { 'bom-ref': path, type: 'file', name: path, hashes: [{ alg: 'SHA-256', content }] };
}

function dependenciesOf(bill: Bill, ref: string): string[] {
  const found = bill.dependencies.find((one) => one.ref === ref);
  if (found !== undefined) return found.dependsOn;
  const added = { ref, dependsOn: [] };
  bill.dependencies.push(added);
  return added.dependsOn;
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(packageFile(name), 'utf8')) as T;
}
