import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { completionScript, shells } from '../../config/command-line/completion.js';
import { type CommandDescription, describeCommands } from '../../config/command-line/describe.js';
import t from '../support/tap.js';

const commands = describeCommands();
const missing = (shell: string): string | false =>
  spawnSync(shell, ['-c', ':']).status !== 0 && `${shell} is not installed`;

/** What would go wrong in a script that quotes it badly. */
const hostile: CommandDescription = {
  name: 'hostile',
  summary: `it's "$HOME" \`id\` \\ [x]: %d`,
  operands: [],
  flags: [
    {
      term: '-h, --hostile <x>',
      short: '-h',
      long: '--hostile',
      takesValue: true,
      help: `it's "$(id)" \\ [y]: %d`,
      initial: null,
      variable: null,
    },
  ],
};

t.test('every shell knows every command and every flag', async (t) => {
  for (const shell of shells) {
    const script = completionScript(shell, commands);
    for (const { name, flags } of commands) {
      t.match(script, new RegExp(`\\b${name}\\b`), `${shell}: ${name}`);
      for (const { long } of flags) {
        t.ok(script.includes(shell === 'fish' ? `-l ${long.slice(2)} ` : long), `${shell}: ${long}`);
      }
    }
  }
});

for (const shell of shells) {
  t.test(
    `${shell} reads its script, whatever a summary or a help text contains`,
    { skip: missing(shell) },
    async (t) => {
      const directory = t.testdir({ script: completionScript(shell, [...commands, hostile]) });
      const { status, stderr } = spawnSync(shell, ['-n', join(directory, 'script')], { encoding: 'utf8' });
      t.strictSame([status, stderr], [0, '']);
    },
  );
}

t.test('bash completes commands, the flags of a command, and files', { skip: missing('bash') }, async (t) => {
  const completed = (...words: string[]): string[] => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const script = `${completionScript('bash', commands)}
COMP_WORDS=(umbra ${line}); COMP_CWORD=${words.length}; _umbra; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['--norc', '-c', script], { cwd: t.testdirName, encoding: 'utf8' });
    return stdout.split('\n').filter((word) => word !== '');
  };
  t.testdir({ 'umbra.yaml': '', 'other.txt': '' });
  t.strictSame(completed('re'), ['reload', 'record', 'replay', 'report']);
  t.strictSame(completed('verdict', '--until'), ['--until-decided']);
  t.strictSame(completed('check', 'umb'), ['umbra.yaml']);
  t.strictSame(completed('help', 'ver').sort(), ['verdict', 'version']);
});
