/**
 * `npm run package [-- --output DIR --architecture x64]`: writes what users install, a bill of materials
 * of each, and SHA256SUMS. Two runs over one commit write the same bytes, with one release of Node.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile, packageVersion } from '../config/package-file.js';
import { toolOptions } from '../test/support/tool-options.js';
import { billOfPackages, billOfProgram, billText } from './bill-of-materials.js';
import { debianNames, debianPackage } from './debian.js';
import { gzipOf } from './gzip.js';
import { type Architecture, architectures } from './node-release.js';
import { npmPackage } from './npm-package.js';
import { program, systemFile } from './program.js';
import { checkRelease, readReleaseState } from './release.js';
import { tarOf } from './tar.js';

const root = fileURLToPath(packageFile('.'));
const usage = `usage: npm run package -- [--output DIR] [--architecture ${architectures.join('|')}]…\n`;
const { values } = toolOptions(
  'npm run package --',
  {
    output: { type: 'string', default: join(root, 'dist/packages') },
    architecture: { type: 'string', multiple: true, default: [...architectures] },
  },
  { usage },
);
const wanted = values.architecture.map(known);
const version = packageVersion();
const timeS = buildTimeS();
mkdirSync(values.output, { recursive: true });

const { released, problems } = checkRelease(readReleaseState());
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(released ? `release ${version}` : `no release: the commit has no tag v${version}`);

const sums: string[] = [];
write('Containerfile', Buffer.from(systemFile('Containerfile').toString().replaceAll('VERSION', version)));
const bill = billOfPackages();
write(`umbra-${version}.cdx.json`, Buffer.from(billText(bill, timeS)));
write(`umbra-${version}.tgz`, await gzipOf(tarOf(npmPackage(), 'package/', timeS)));
for (const architecture of wanted) {
  const name = `umbra-${version}-linux-${architecture}`;
  const tree = program(architecture, timeS);
  write(`${name}.cdx.json`, Buffer.from(billText(billOfProgram(bill, architecture, tree), timeS)));
  write(`${name}.tar.gz`, await gzipOf(tarOf(tree, `${name}/`, timeS)));
  write(`umbra_${version}_${debianNames[architecture]}.deb`, await debianPackage(tree, architecture, timeS));
}
writeFileSync(join(values.output, 'SHA256SUMS'), `${sums.sort().join('\n')}\n`);

function write(name: string, content: Buffer): void {
  writeFileSync(join(values.output, name), content);
  sums.push(`${createHash('sha256').update(content).digest('hex')}  ${name}`);
  console.log(`${name}: ${(content.length / 1e6).toFixed(1)} MB`);
}

function known(name: string): Architecture {
  const architecture = architectures.find((one) => one === name);
  if (architecture !== undefined) return architecture;
  process.stderr.write(`--architecture is one of ${architectures.join(', ')}\n${usage}`);
  process.exit(2);
}

/** The time of all entries: SOURCE_DATE_EPOCH (reproducible-builds.org), else that of the commit. */
function buildTimeS(): number {
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  const timeS = Number(process.env.SOURCE_DATE_EPOCH ?? (stdout || undefined));
  if (!Number.isSafeInteger(timeS) || timeS < 0) {
    throw new Error('set SOURCE_DATE_EPOCH to a time in seconds: this folder is not a checkout of git');
  }
  return timeS;
}
