import { checkRelease, type ReleaseState, readReleaseState } from '../../packaging/release.js';
import t from '../support/tap.js';

const changelog =
  '# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-11-30\n\n- A change.\n\n## 1.1.0 - 2026-10-01\n';
const release: ReleaseState = {
  version: '1.2.0',
  locked: ['1.2.0', '1.2.0'],
  changelog,
  readme: '`dpkg -i umbra_1.2.0_amd64.deb`, `umbra-1.2.0-linux-x64.tar.gz`, umbra:1.2.0',
  tags: ['v1.2.0'],
  changed: [],
};

t.test('a release agrees with itself', async (t) => {
  t.strictSame(checkRelease(release), { released: true, problems: [] });
  const bracketed = changelog.replace('## 1.2.0 -', '## [1.2.0] -');
  t.strictSame(checkRelease({ ...release, changelog: bracketed }), { released: true, problems: [] });
});

t.test('a commit between releases has changes under Unreleased and no tag', async (t) => {
  const unreleased = changelog.replace('## Unreleased\n', '## Unreleased\n\n- Another change.\n');
  const between = { ...release, changelog: unreleased, tags: ['nightly'], changed: ['README.md'] };
  t.strictSame(checkRelease(between), { released: false, problems: [] });
});

t.test('what does not agree is named', async (t) => {
  const cases: [Partial<ReleaseState>, RegExp][] = [
    [{ version: '1.2' }, /^package\.json has the version 1\.2\.$/],
    [{ locked: ['1.2.0', '1.1.0'] }, /^package-lock\.json has the version 1\.1\.0: /],
    [{ readme: 'umbra-1.1.0-linux-x64.tar.gz' }, /^README\.md names the version 1\.1\.0\.$/],
    [{ readme: '' }, /^README\.md names no file of a release\.$/],
    [{ changelog: changelog.replace('## Unreleased\n', '') }, /does not begin with Unreleased/],
    [{ changelog: changelog.replaceAll('1.2.0', '1.10.0') }, /has 1\.10\.0, which is newer than 1\.2\.0/],
    [{ tags: ['v1.2.0', 'v1.3.0'] }, /^The commit has the tag v1\.3\.0, and the version is 1\.2\.0\.$/],
    [{ changelog: changelog.replace(' - 2026-11-30', '') }, /no section `## 1\.2\.0 - YYYY-MM-DD`/],
    [{ changelog: changelog.replace('Unreleased\n', 'Unreleased\n\n- More.\n') }, /changes under Unreleased/],
    [{ changed: ['core/plan.ts'] }, /^core\/plan\.ts differs from the commit\.$/],
  ];
  for (const [change, expected] of cases) {
    const { problems } = checkRelease({ ...release, ...change });
    t.ok(
      problems.some((problem) => expected.test(problem)),
      `${expected}: ${problems.join(' ')}`,
    );
  }
});

t.test('this checkout agrees with itself', async (t) => {
  t.strictSame(checkRelease({ ...readReleaseState(), changed: [] }).problems, []);
});
