/** The Node that artefacts carry: npm has each release's binary as a package for each platform. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readTar } from './tar.js';

export const architectures = ['x64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export const nodeVersion = '24.22.1';
/** `process.versions.modules` of that release, which chooses the build of an addon. */
export const nodeAbi = 137;

/** The registry's `dist.integrity` of `node-linux-ARCHITECTURE`: SHA-512 in base64. */
export const nodeIntegrity: Readonly<Record<Architecture, string>> = {
  x64: 'ogMoFZRQLCX7VpzQAtfs7q0DVFa7D79LKhmttHZNGJrz0Yp5/LtU0MISM7gvThSo6AbVelac9uVu9Jfm1464ow==',
  arm64: '1uD+Qvcu14ZJ6JVhsAiOeAiCQI0Nnu+y60VJnwhq8nGr+1l7XKFnNlZ42f619d+h5UzRQtO3pwpBEM2FYR/83Q==',
};

export interface NodeRelease {
  readonly binary: Buffer;
  readonly license: Buffer;
}

export function nodePackage(architecture: Architecture): string {
  return `node-linux-${architecture}`;
}

/** `readNodeRelease` asks the registry, or npm's cache where it has the package. */
export function readNodeRelease(architecture: Architecture): NodeRelease {
  const name = nodePackage(architecture);
  const directory = mkdtempSync(join(tmpdir(), 'umbra-node-'));
  try {
    const words = ['pack', '--silent', '--prefer-offline', `${name}@${nodeVersion}`];
    const { status, stderr } = spawnSync('npm', words, { cwd: directory, encoding: 'utf8' });
    if (status !== 0) throw new Error(`npm can't get ${name}@${nodeVersion}:\n${stderr}`);
    const packed = readFileSync(join(directory, `${name}-${nodeVersion}.tgz`));
    const digest = createHash('sha512').update(packed).digest('base64');
    if (digest !== nodeIntegrity[architecture])
      throw new Error(`${name}@${nodeVersion} has the SHA-512 ${digest}`);
    const archive = gunzipSync(packed);
    return { binary: readTar(archive, 'package/bin/node'), license: readTar(archive, 'package/LICENSE') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
