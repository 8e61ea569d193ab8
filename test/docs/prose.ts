/**
 * The style of the project's prose, as rules that a machine can check: in Markdown and in the comments of the
 * code. `node dist/test/docs/prose.js [PATH…]` prints every fault below the given paths (default: the whole
 * project).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface ProseFault {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** One paragraph of prose: a block comment, a run of `//` lines, or a paragraph of Markdown. */
interface Passage {
  readonly line: number;
  readonly text: string;
  readonly isDocComment: boolean;
}

const columnsMax = 110;
/** A sentence with more words asks to be two. */
const sentenceWordsMax = 45;

/** Words that are not the field's, with what to write in their place. */
const banned: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b(?:tell|tells|told|telling)\b/i, 'report, say, distinguish, or notify'],
  [/\banew\b/i, 'again, or name the action: restart, rebuild, renew'],
  [/\bgladly\b/i, 'a cost or a preference'],
  [/\bdearest\b/i, 'most expensive'],
  [/\bstands? back\b/i, 'runs at a lower priority'],
  [/\blets? go\b/i, 'release'],
  [/\bwhat is more\b/i, 'also'],
  [/\bnothing nothing\b/i, 'two sentences'],
  [/\bthat is none\b/i, 'that is not one'],
  [/\bin vain\b/i, 'without success, failed, or timed out'],
  [/\b(?:give|gives|gave|giving) way\b/i, 'yields, is closed, or is ended'],
  [/\bby turns\b/i, 'round robin, or alternately'],
  [/\bfrom here on it is\b/i, 'a plain statement of the state'],
  [/\bit would seem\b/i, 'a plain statement'],
  [/\bcome to know\b/i, 'learn'],
  [/\bis of no use\b/i, 'useless, or why'],
  [/\b(?:go|goes|going) on\b/i, 'continue'],
  [/\bhears? of\b/i, 'receives, sees, or is notified'],
  [/\b(?:it|that|this|which|he|one) is no (?!longer|more|less|other|such)/i, 'is not a …'],
];

/** A doc comment that begins with one of these is a fragment without a subject. */
const fragment = /^(?:(?:Once for|So many|Short of|Something|Of|As) |(?:From|To|With|Without|For|On) (?!`))/;

/** `proseFaults` returns every place in one file that breaks a rule. `path` decides how the text is read. */
export function proseFaults(path: string, text: string): ProseFault[] {
  const faults: ProseFault[] = [];
  const add = (line: number, message: string): void => {
    faults.push({ path, line, message });
  };
  const isMarkdown = path.endsWith('.md');
  for (const { line, text: long } of longLines(text, isMarkdown))
    add(line, `${long.length} columns: at most ${columnsMax}`);
  const passages = isMarkdown ? paragraphs(text) : [...comments(text), ...messages(text)];
  for (const passage of passages) {
    for (const [pattern, instead] of banned) {
      const found = pattern.exec(passage.text);
      if (found !== null) add(passage.line, `"${found[0]}": write ${instead}`);
    }
    if (passage.isDocComment && fragment.test(passage.text))
      add(passage.line, `"${passage.text.slice(0, 40)}…": begin with the name of the thing`);
    for (const sentence of sentences(passage.text)) {
      const words = sentence.split(' ').length;
      if (words > sentenceWordsMax)
        add(passage.line, `a sentence of ${words} words: "${sentence.slice(0, 50)}…"`);
    }
  }
  return faults;
}

/** History, and the samples of faults. */
const leftOut: readonly string[] = ['CHANGELOG.md', 'test/docs/prose.test.ts'];

/** `projectFiles` returns the paths of all files with prose, relative to the root. */
export function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '*.ts', '*.js', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((path) => path !== '' && !leftOut.includes(path));
}

function longLines(text: string, isMarkdown: boolean): { line: number; text: string }[] {
  let inFence = false;
  return text.split('\n').flatMap((content, index) => {
    if (isMarkdown && content.startsWith('```')) inFence = !inFence;
    // Code is the formatter's business: it breaks lines, but no string and no pattern.
    const mayBeLong = isMarkdown
      ? inFence || content.startsWith('|') || /\]\(|https?:/.test(content)
      : !/^\s*(?:\*|\/[*/])/.test(content);
    return content.length > columnsMax && !mayBeLong ? [{ line: index + 1, text: content }] : [];
  });
}

function paragraphs(text: string): Passage[] {
  const found: Passage[] = [];
  let lines: string[] = [];
  let inFence = false;
  const end = (at: number): void => {
    if (lines.length > 0)
      found.push({ line: at - lines.length, text: plain(lines.join(' ')), isDocComment: false });
    lines = [];
  };
  for (const [index, line] of [...text.split('\n'), ''].entries()) {
    if (line.startsWith('```')) inFence = !inFence;
    const isProse = !inFence && !line.startsWith('```') && !line.startsWith('<!--') && line.trim() !== '';
    if (!isProse || /^(?:[-*#|>]|\d+\.| {2,}[-*] )/.test(line)) end(index + 1);
    if (!isProse) continue;
    // A row of a table is cells, and each cell a passage.
    if (line.startsWith('|')) {
      for (const cell of line.split('|'))
        found.push({ line: index + 1, text: plain(cell), isDocComment: false });
    } else lines.push(line.replace(/^[\s\-*#>]+/, ''));
  }
  return found;
}

function comments(text: string): Passage[] {
  const found: Passage[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index].trim();
    const from = index;
    if (line.startsWith('/**')) {
      while (!lines[index].includes('*/') && index + 1 < lines.length) index++;
      const block = lines
        .slice(from, index + 1)
        .map((part) => part.trim().replace(/^\/?\*+\/?\s?|\s*\*\/$/g, ''));
      for (const [at, paragraph] of blockParagraphs(block))
        found.push({ line: from + 1 + at, text: plain(paragraph), isDocComment: at === 0 });
    } else if (line.startsWith('// ')) {
      while (index + 1 < lines.length && lines[index + 1].trim().startsWith('// ')) index++;
      const joined = lines.slice(from, index + 1).map((part) => part.trim().slice(3));
      found.push({ line: from + 1, text: plain(joined.join(' ')), isDocComment: false });
    }
  }
  return found;
}

/**
 * String literals that read as a message: three words or more, on one line. Names of tests are among them.
 */
function messages(text: string): Passage[] {
  const found: Passage[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:\*|\/)/.test(line)) continue;
    for (const [, , literal] of line.matchAll(/(['`])((?:(?!\1)[^\\]|\\.)*)\1/g)) {
      const isMessage = /^\S+ \S+ \S+/.test(literal) && !/[{}<>;=]\s/.test(literal);
      if (isMessage) found.push({ line: index + 1, text: plain(literal), isDocComment: false });
    }
  }
  return found;
}

/**
 * Paragraphs of a block comment with the line that each begins at; indented lines are drawings and are left
 * out.
 */
function blockParagraphs(lines: readonly string[]): [number, string][] {
  const found: [number, string][] = [];
  let open: { at: number; lines: string[] } | null = null;
  for (const [index, line] of lines.entries()) {
    const ends = line === '' || /^\s{2,}/.test(line) || /^(?:[-*]|\d+\.) /.test(line);
    if (ends && open !== null) {
      found.push([open.at, open.lines.join(' ')]);
      open = null;
    }
    if (line === '' || /^\s{2,}/.test(line)) continue;
    open ??= { at: found.length === 0 ? 0 : index, lines: [] };
    open.lines.push(line);
  }
  if (open !== null) found.push([open.at, open.lines.join(' ')]);
  return found;
}

/** Code, links and emphasis without their marks: `code` counts as one word. */
function plain(text: string): string {
  return text
    .replace(/`[^`]*`/g, '`x`')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/"[^"]*"/g, '"x"')
    .replace(/\s+/g, ' ')
    .trim();
}

function sentences(text: string): string[] {
  return text.split(/(?<=[.?!:;])\s+/);
}

function main(paths: readonly string[]): void {
  const files = projectFiles().filter(
    (file) => paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}/`)),
  );
  const faults = files.flatMap((file) => proseFaults(file, readFileSync(`${root}${file}`, 'utf8')));
  const lines = faults.map(({ path, line, message }) => `${path}:${line}: ${message}\n`);
  process.stdout.write(`${lines.join('')}${files.length} files, ${faults.length} faults\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
