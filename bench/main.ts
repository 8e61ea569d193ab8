/** `npm run bench`: the end-to-end comparison, or what is named. */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { endToEnd } from './end-to-end/main.js';
import { helpText as endToEndHelp } from './end-to-end/options.js';
import { microAgainst } from './micro-against.js';
import { pageBench } from './page.js';

const microRoom = new URL('./core/', import.meta.url);
/** What micro benches measure with; not a bench itself. */
const notABench = 'measure.js';
/** Each loop of a micro bench runs by importing it. */
const micro = readdirSync(microRoom)
  .filter((file) => file.endsWith('.js') && file !== notABench)
  .map((file) => `core/${file.slice(0, -'.js'.length)}`);

const words = process.argv.slice(2);
const [first] = words;
if (first === '--help' || first === '-h') {
  process.stdout.write(
    `usage: npm run bench -- [NAME] [options]\n\nmicro benches: ${micro.join(', ')}\npage: the live page in a browser (--help)\n\nor else\n\n${endToEndHelp}`,
  );
} else if (first === 'page') {
  process.exitCode = await pageBench(words.slice(1));
} else if (words.some((word) => word.startsWith('core/'))) {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { compare: { type: 'string' } },
  });
  const unknown = positionals.find((word) => !micro.includes(word));
  if (unknown !== undefined) {
    process.stderr.write(`bench: no micro bench is called ${unknown}: ${micro.join(', ')}\n`);
    process.exit(2);
  }
  if (values.compare !== undefined) await microAgainst(positionals, values.compare);
  else for (const name of positionals) await import(new URL(`./${name}.js`, import.meta.url).href);
} else {
  process.exitCode = await endToEnd(words);
}
