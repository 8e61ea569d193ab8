/** Micro benches of this tree and of another revision, each in a process of its own, in turn. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from './end-to-end/numbers.js';
import { fixed, tableText } from './end-to-end/table.js';
import { withRevision } from './revision.js';

const run = promisify(execFile);
const here = fileURLToPath(new URL('..', import.meta.url));
const rounds = 3;
/** A table's title, or a loop and its figure, as micro benches print them. */
const line = /^(?:(\S.*)| +(\S.*?) +([\d.]+) ns {2,}.*)$/gm;

/** Title and name of a loop, which tables share, to its nanoseconds, one for each round. */
type Figures = Map<string, number[]>;

/** `names` as `npm run bench` takes them, `core/ring`. A loop that only one side has is shown with a dash. */
export async function microAgainst(names: readonly string[], revision: string): Promise<void> {
  await withRevision(revision, async (tree) => {
    for (const name of names) {
      const [ours, theirs]: [Figures, Figures] = [new Map(), new Map()];
      for (let round = 1; round <= rounds; round++) {
        await measure(`${tree}/dist/bench/${name}.js`, theirs);
        await measure(`${here}/bench/${name}.js`, ours);
        console.log(`${name}: round ${round}/${rounds}`);
      }
      console.log(`\n${table(ours, theirs, revision)}\n`);
    }
  });
}

async function measure(file: string, into: Figures): Promise<void> {
  const { stdout } = await run(process.execPath, [file]);
  let title = '';
  for (const [, titleHere, name, ns] of stdout.matchAll(line)) {
    if (titleHere !== undefined) {
      title = titleHere;
      continue;
    }
    const key = `${title}: ${name}`;
    const figures = into.get(key) ?? [];
    figures.push(Number(ns));
    into.set(key, figures);
  }
}

function table(ours: Figures, theirs: Figures, revision: string): string {
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  const rows = names.map((name) => {
    const [mine, other] = [ours, theirs].map((figures) => median(figures.get(name) ?? []));
    return [name, fixed(other, 1), fixed(mine, 1), fixed(mine / other, 3)];
  });
  return tableText(['loop, ns', revision, 'here', 'ratio'], rows);
}
