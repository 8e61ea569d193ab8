/** Programs of the machine that tests run as their users do. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

export interface Ran {
  readonly code: number | null;
  readonly out: Buffer;
  readonly err: string;
}

/** False where the program is there, else why a test that needs it is skipped. */
export function missing(program: string): string | false {
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' });
  return error === undefined ? false : `${program} is not installed`;
}

/** Runs to the end, without a shell; `env` replaces the environment but for PATH. */
export async function run(
  program: string,
  words: readonly string[],
  { cwd, env = {}, input }: { cwd?: string; env?: Record<string, string>; input?: Buffer } = {},
): Promise<Ran> {
  const child = spawn(program, words, { cwd, env: { PATH: process.env.PATH ?? '', ...env } });
  const out: Buffer[] = [];
  let err = '';
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  // A program may end without reading what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: Buffer.concat(out), err };
}

/** `run`, and rejects with what it said if it fails. */
export async function runWell(...call: Parameters<typeof run>): Promise<Ran> {
  const ran = await run(...call);
  if (ran.code !== 0)
    throw new Error(`${call[0]} ${call[1].join(' ')} ended with ${ran.code}:\n${ran.out}${ran.err}`);
  return ran;
}
