/** Whether the version, the changelog, the README and the tag of a commit name the same release. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../config/package-file.js';

/** The texts of a tree, and what git says of its commit. */
export interface ReleaseState {
  /** `version` of package.json. */
  readonly version: string;
  /** The versions of package-lock.json, of which there are two. */
  readonly locked: readonly string[];
  readonly changelog: string;
  readonly readme: string;
  /** Tags of the commit. */
  readonly tags: readonly string[];
  /** Files that differ from the commit. */
  readonly changed: readonly string[];
}

export interface ReleaseFindings {
  /** True for a commit that has the tag of its version. */
  readonly released: boolean;
  /** What does not agree, in sentences. */
  readonly problems: readonly string[];
}

interface Section {
  readonly version: string;
  readonly date: string | null;
  readonly text: string;
}

/**
 * `checkRelease` compares what has to agree at any commit. A commit with a tag of a version is a release, and
 * has to have a section with a date in the changelog besides, nothing under Unreleased, and no other files.
 */
export function checkRelease(state: ReleaseState): ReleaseFindings {
  const { version, locked, changelog, readme, tags, changed } = state;
  const problems: string[] = [];
  if (!/^\d+\.\d+\.\d+$/.test(version)) problems.push(`package.json has the version ${version}.`);
  for (const other of new Set(locked))
    if (other !== version) problems.push(`package-lock.json has the version ${other}: run \`npm install\`.`);
  const named = new Set([...readme.matchAll(/umbra[-_:](\d+\.\d+\.\d+)/g)].map((match) => match[1]!));
  if (named.size === 0) problems.push('README.md names no file of a release.');
  for (const other of named) if (other !== version) problems.push(`README.md names the version ${other}.`);

  const sections = sectionsOf(changelog);
  if (sections[0]?.version !== 'Unreleased') problems.push('CHANGELOG.md does not begin with Unreleased.');
  const newest = sections.find((section) => section.version !== 'Unreleased');
  if (newest !== undefined && compare(newest.version, version) > 0)
    problems.push(`CHANGELOG.md has ${newest.version}, which is newer than ${version}.`);

  const releases = tags.filter((tag) => /^v\d+\.\d+\.\d+/.test(tag));
  const released = releases.includes(`v${version}`);
  for (const tag of releases)
    if (tag !== `v${version}`) problems.push(`The commit has the tag ${tag}, and the version is ${version}.`);
  if (!released) return { released, problems };
  if (newest?.version !== version || newest.date === null)
    problems.push(`CHANGELOG.md has no section \`## ${version} - YYYY-MM-DD\` at its top.`);
  if (sections[0]?.version === 'Unreleased' && sections[0].text.trim() !== '')
    problems.push('CHANGELOG.md has changes under Unreleased, which this release contains.');
  for (const file of changed) problems.push(`${file} differs from the commit.`);
  return { released, problems };
}

/** `readReleaseState` reads the checkout. Throws where a file is missing; without git there is no tag. */
export function readReleaseState(): ReleaseState {
  const manifest = JSON.parse(read('package.json')) as { version: string };
  const lock = JSON.parse(read('package-lock.json')) as {
    version: string;
    packages: Record<string, { version: string }>;
  };
  return {
    version: manifest.version,
    locked: [lock.version, lock.packages['']!.version],
    changelog: read('CHANGELOG.md'),
    readme: read('README.md'),
    tags: git('tag', '--points-at', 'HEAD'),
    changed: git('status', '--porcelain', '--untracked-files=no').map((line) => line.slice(3)),
  };
}

function sectionsOf(changelog: string): readonly Section[] {
  return changelog
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      const [version = '', date] = section.slice(0, end).replaceAll(/[[\]]/g, '').split(' - ');
      return {
        version: version.trim(),
        date: date !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(date.trim()) ? date.trim() : null,
        text: section.slice(end),
      };
    });
}

/** Positive where the version `a` is newer than `b`. */
function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (left![at] ?? 0) - (right![at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function read(path: string): string {
  return readFileSync(packageFile(path), 'utf8');
}

/** The lines that git prints; none where this is not a checkout. */
function git(...words: string[]): readonly string[] {
  const { status, stdout } = spawnSync('git', words, {
    cwd: fileURLToPath(packageFile('.')),
    encoding: 'utf8',
  });
  return status === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
}
