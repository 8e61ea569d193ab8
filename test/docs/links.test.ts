import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from '../support/tap.js';
import { projectFiles, root } from './prose.js';

interface Link {
  readonly page: string;
  readonly target: string;
}

t.test('every link of a page leads to a file, and every anchor to a heading', async (t) => {
  const pages = projectFiles().filter((path) => path.endsWith('.md'));
  const anchors = new Map(pages.map((page) => [page, anchorsOf(read(page))]));
  const links = pages.flatMap((page) => linksOf(page));
  t.ok(links.length > 200, `${links.length} links`);
  for (const { page, target } of links) {
    const [path, anchor] = target.split('#') as [string, string?];
    const file = path === '' ? page : normalize(join(dirname(page), path));
    t.ok(existsSync(`${root}${file}`), `${page}: ${target}`);
    if (anchor !== undefined) t.ok(anchors.get(file)?.has(anchor), `${page}: ${target}`);
  }
});

function read(page: string): string {
  return readFileSync(`${root}${page}`, 'utf8');
}

/** Links within the project; code is no place for one. */
function linksOf(page: string): Link[] {
  const text = withoutCode(read(page)).replace(/`[^`]*`/g, '');
  return [...text.matchAll(/\]\(\s*([^()\s]+)\s*\)/g)]
    .map(([, target]) => ({ page, target: target! }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** What GitHub makes of headings. */
function anchorsOf(text: string): Set<string> {
  const headings = [...withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}
