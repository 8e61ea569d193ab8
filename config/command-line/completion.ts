/** Scripts that let shells complete commands and flags of `umbra`. */
import type { CommandDescription, FlagDescription } from './describe.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * `completionScript` returns the script for `shell`. It completes operands and values of flags as file names.
 */
export function completionScript(shell: Shell, commands: readonly CommandDescription[]): string {
  return scripts[shell](commands);
}

const scripts = { bash, zsh, fish };
const names = (commands: readonly CommandDescription[]): string => commands.map(({ name }) => name).join(' ');

function bash(commands: readonly CommandDescription[]): string {
  const cases = commands.map(({ name, flags }) => {
    const words = flags.map(({ long }) => long).join(' ');
    return `    ${name}) words='${words} --help' ;;`;
  });
  return `# umbra completion bash: source it, or put it into the directory of bash-completion.
_umbra() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names(commands)} help --help --version' -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    help) COMPREPLY=($(compgen -W '${names(commands)}' -- "$word")); return ;;
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _umbra umbra
`;
}

function zsh(commands: readonly CommandDescription[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map(({ name, flags }) => {
    const words = flags.map((flag) => `      ${zshFlag(flag)} \\`);
    return `    ${name}) _arguments \\\n${words.join('\n')}\n      '--help[show help]' '*:file:_files' ;;`;
  });
  return `#compdef umbra
# umbra completion zsh: put it into a directory of fpath, as _umbra.
_umbra() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _umbra ]; then _umbra "$@"; else compdef _umbra umbra; fi
`;
}

/** `zshFlag` allows every flag to be repeated; the command itself reports a flag that must not be. */
function zshFlag({ short, long, takesValue, help }: FlagDescription): string {
  const rest = `${takesValue ? '=' : ''}[${help.replace(/[[\]\\:]/g, '\\$&')}]${takesValue ? ':value:_files' : ''}`;
  const one = quoted(`*${long}${rest}`);
  return short === null ? one : `${quoted(`*${short}${rest.replace(/^=/, '')}`)} ${one}`;
}

function fish(commands: readonly CommandDescription[]): string {
  const lines = commands.flatMap(({ name, summary, flags }) => [
    `complete -c umbra -n __fish_use_subcommand -f -a ${name} -d ${fishQuoted(summary)}`,
    ...flags.map(({ short, long, takesValue, help }) => {
      const terms = `${short === null ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}${takesValue ? ' -r' : ''}`;
      return `complete -c umbra -n '__fish_seen_subcommand_from ${name}' ${terms} -d ${fishQuoted(help)}`;
    }),
  ]);
  return `# umbra completion fish: put it into ~/.config/fish/completions, as umbra.fish.
${lines.join('\n')}
`;
}

/** `quoted` quotes for bash and zsh, where only the quote itself is special within single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `fishQuoted` quotes for fish, which needs backslashes before a quote and before a backslash. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
