/**
 * `npm run sbom`: prints what an installation consists of, as CycloneDX. npm makes it from the lock file. Its
 * own `--omit dev` leaves out what users need and development needs too (npm 10 and 11), so npm is given the
 * two files without what is for development alone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runWell } from '../support/command.js';

interface Manifest {
  devDependencies?: object;
  scripts?: object;
}
interface Lock {
  packages: Record<string, Manifest & { readonly dev?: boolean }>;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'umbra-sbom-'));
try {
  const manifest = read<Manifest>('package.json');
  const lock = read<Lock>('package-lock.json');
  delete manifest.devDependencies;
  delete lock.packages['']!.devDependencies;
  for (const [path, { dev }] of Object.entries(lock.packages)) if (dev === true) delete lock.packages[path];
  write('package.json', manifest);
  write('package-lock.json', lock);
  const words = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'];
  process.stdout.write((await runWell('npm', words, { cwd: directory })).out);
} finally {
  rmSync(directory, { recursive: true });
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(root, name), 'utf8')) as T;
}

function write(name: string, value: object): void {
  writeFileSync(join(directory, name), JSON.stringify(value));
}
