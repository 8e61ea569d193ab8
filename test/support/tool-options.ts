/** Options of programs of umbra's developers (`npm run soak`, `npm run simulate`), which are no commands. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * `toolOptions` parses `args`, or the words of this process. `--help` prints how `program` is used and ends
 * with 0; a wrong word is named, and ends with 2. `usage`: the lines to print; without it they list the
 * options with their defaults.
 */
export function toolOptions<const O extends Options>(
  program: string,
  options: O,
  { args = process.argv.slice(2), allowPositionals = false, usage = usageOf(program, options) } = {},
) {
  if (args.some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(usage);
    process.exit(0);
  }
  try {
    return parseArgs<{ args: string[]; options: O; allowPositionals: boolean }>({
      args,
      options,
      allowPositionals,
    });
  } catch (error) {
    const [what] = (error as Error).message.split('. ');
    process.stderr.write(`${what}\n${usage}`);
    process.exit(2);
  }
}

function usageOf(program: string, options: Options): string {
  const words = Object.entries(options).map(([name, { type, default: usual = 'X' }]) =>
    type === 'boolean' ? `[--${name}]` : `[--${name} ${usual === '' ? 'X' : usual}]`,
  );
  return `usage: ${program} ${words.join(' ')}\n`;
}
