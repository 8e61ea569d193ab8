import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDirectory } from '../../../config/documents/files.js';
import { formatProblem } from '../../../config/problem.js';
import t from '../../support/tap.js';

function read(
  t: import('../../support/tap.js').Test,
  files: Record<string, string>,
): { names: string[]; problems: string[] } {
  const directory = t.testdir();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const { files: found, problems } = readDirectory(directory, 'umbra.yaml');
  const short = (text: string) => text.replaceAll(`${directory}/`, '');
  return {
    names: found.map(({ file }) => short(file)),
    problems: problems.map((problem) => short(formatProblem(problem))),
  };
}

t.test('a directory has its YAML and JSON files by name', async (t) => {
  const files = { 'b.yaml': '', 'a.json': '', 'c.txt': '', '.d.yaml': '', 'umbra.yaml': '', 'e/f.yaml': '' };
  t.strictSame(read(t, files), { names: ['a.json', 'b.yaml'], problems: [] });
});

t.test('a kustomization lists files and directories, each once', async (t) => {
  const files = {
    'kustomization.yaml': 'resources: [b.yaml, base, base]',
    'a.yaml': '',
    'b.yaml': '',
    'base/kustomization.yml': 'kind: Kustomization\nbases: [c.yaml, ..]',
    'base/c.yaml': '',
  };
  t.strictSame(read(t, files), { names: ['b.yaml', 'base/c.yaml'], problems: [] });
});

t.test('what would change the resources of a kustomization, or is not here, is refused', async (t) => {
  const text = 'resources: [https://example.com/a.yaml]\npatches: []\nnamespace: prod';
  t.match(read(t, { 'kustomization.yaml': text }).problems, [
    /^kustomization.yaml:2:1: `patches` can't be carried out: apply what `kustomize build` prints/,
    /^kustomization.yaml:3:1: `namespace` can't be carried out/,
    /^kustomization.yaml:1:13: resources: `https:.*` is not a file or directory here/,
  ]);
});
