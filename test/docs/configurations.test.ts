import { readdirSync, readFileSync } from 'node:fs';
import { told } from '../config/told.js';
import t from '../support/tap.js';
import { root } from './prose.js';

/** Pages in which every block of YAML is a configuration that can be run as it stands. */
const pagesOfConfigurations = ['docs/coming-from.md', 'docs/use-cases.md', 'docs/troubleshooting.md'];

t.test('every whole configuration in a page passes `umbra check`', async (t) => {
  let found = 0;
  for (const page of pages()) {
    for (const block of yamlBlocks(page).filter(isWhole)) {
      found++;
      t.strictSame(told(block, { env: {} }), [], `${page}: ${block.slice(0, 80)}`);
    }
  }
  t.ok(found > 10, `${found} configurations`);
});

t.test('pages of configurations have whole ones alone', async (t) => {
  for (const page of pagesOfConfigurations) {
    const blocks = yamlBlocks(page);
    t.ok(blocks.length > 0, page);
    for (const block of blocks) t.ok(isWhole(block), `${page}: ${block.slice(0, 80)}`);
  }
});

function pages(): string[] {
  const documents = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  return ['README.md', ...documents.map((name) => `docs/${name}`)];
}

function yamlBlocks(page: string): string[] {
  const text = readFileSync(`${root}${page}`, 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map((block) => block[1]);
}

/** `isWhole` is true where nothing has to be added: endpoints are given, and routes or documents use them. */
function isWhole(block: string): boolean {
  return (/^versions:/m.test(block) && /^routes:/m.test(block)) || /^subsets:/m.test(block);
}
