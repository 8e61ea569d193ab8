/** The answer to a live change, as commands print it. */
import type { CommandIo } from '../../config/commands/index.js';

/**
 * `printLiveAnswer` prints `done` with the generation, and a note on stderr where the change would be lost
 * with the process or has a warning; or the whole answer as JSON. It throws where the answer is not umbra's.
 */
export function printLiveAnswer(
  answer: Record<string, unknown>,
  done: string,
  io: CommandIo,
  output: 'text' | 'json' = 'text',
): void {
  const { generation, kept, warnings } = answer;
  if (typeof generation !== 'number') throw new Error('refused (200): this is not an umbra admin API');
  if (output === 'json') {
    io.out(JSON.stringify(answer, null, 2));
    return;
  }
  io.out(`${done}, generation ${generation}`);
  const lines = Array.isArray(warnings) ? warnings.map(String) : [];
  for (const line of lines) io.err(`note: ${line}`);
  if (kept === false && lines.length === 0)
    io.err('note: this lasts until umbra ends; `state` in its configuration keeps live changes');
}
