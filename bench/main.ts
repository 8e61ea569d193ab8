/** `npm run bench`: the end-to-end comparison, or what is named. */
import { readdirSync } from 'node:fs';
import { endToEnd } from './end-to-end/main.js';
import { helpText as endToEndHelp } from './end-to-end/options.js';

const microRoom = new URL('./core/', import.meta.url);
/** What micro benches measure with; not a bench itself. */
const notABench = 'measure.js';
/** Each loop of a micro bench runs by importing it. */
const micro = readdirSync(microRoom)
  .filter((file) => file.endsWith('.js') && file !== notABench)
  .map((file) => file.slice(0, -'.js'.length));

const [first, ...rest] = process.argv.slice(2);
if (first === '--help' || first === '-h') {
  process.stdout.write(
    `usage: npm run bench -- [NAME] [options]\n\nmicro benches: ${micro.map((name) => `core/${name}`).join(', ')}\n\nor else\n\n${endToEndHelp}`,
  );
} else if (first?.startsWith('core/')) {
  const names = [first, ...rest].map((word) => word.slice('core/'.length));
  for (const name of names) {
    if (!micro.includes(name)) throw new Error(`no micro bench is called core/${name}`);
    await import(new URL(`${name}.js`, microRoom).href);
  }
} else {
  process.exitCode = await endToEnd(process.argv.slice(2));
}
