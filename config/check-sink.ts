/** What a mirror to a sink can't be asked for, and one to a shadow neither. */
import { type ConfigProblem, errorAt } from './problem.js';
import { kindOfTarget, nameOfTarget, type TargetKind } from './sink-target.js';
import { indexesAt, keyMarkAt, nodeAt, type Path, ScalarNode, type TreeNode, textAt } from './tree.js';

/** A sink takes each copy as the client sent it, and answers nothing that could be waited for or compared. */
const ofShadows = [
  'host',
  'breaker',
  'pipelining',
  'inFlight',
  'timeout',
  'timeouts',
  'firstByteTimeout',
  'compare',
] as const;

/** By the key that says how copies are kept. */
const places = { recording: 'file:DIRECTORY', stream: 'nats://host:4222/subject' } as const;
type SettingsKey = keyof typeof places;

const kinds: Readonly<Record<Exclude<TargetKind, 'version'>, { key: SettingsKey; noun: string }>> = {
  file: { key: 'recording', noun: 'recording' },
  stream: { key: 'stream', noun: 'stream' },
};

/** What of the settings all mirrors to one place share; what a mirror alone decides is not among them. */
const sharedSettings: Readonly<Record<SettingsKey, readonly Path[]>> = {
  recording: [['compress'], ['segment', 'size'], ['segment', 'age'], ['disk']],
  stream: [['outstanding'], ['timeout'], ['retention'], ['size'], ['age'], ['replicas']],
};

interface First {
  readonly settings: string;
  readonly line: number;
}

export function checkSinks(root: TreeNode): ConfigProblem[] {
  const firsts = new Map<string, First>();
  return indexesAt(root, ['routes']).flatMap((route) =>
    indexesAt(root, ['routes', route, 'mirrors']).flatMap((mirror) => {
      const path: Path = ['routes', route, 'mirrors', mirror];
      const to = textAt(root, [...path, 'to']);
      if (to === null) return [];
      return [...wrongKeys(root, path, to), ...otherSettings(root, path, to, firsts)];
    }),
  );
}

/** Keys of a mirror that are for other kinds of targets than `to`. */
export function keysNotFor(to: string): readonly string[] {
  const kind = kindOfTarget(to);
  const own = kind === 'version' ? null : kinds[kind];
  const ofOthers = (Object.keys(places) as SettingsKey[]).filter((key) => key !== own?.key);
  return own === null ? ofOthers : [...ofShadows, ...ofOthers];
}

function wrongKeys(root: TreeNode, path: Path, to: string): ConfigProblem[] {
  const kind = kindOfTarget(to);
  const own = kind === 'version' ? null : kinds[kind];
  return keysNotFor(to).flatMap((key) => {
    if (nodeAt(root, [...path, key]) === undefined) return [];
    const what =
      key in places
        ? `is for mirrors to ${places[key as SettingsKey]}`
        : `is for shadows; \`${nameOfTarget(to)}\` is a ${own!.noun}`;
    return [errorAt(keyMarkAt(root, [...path, key]), `\`${key}\` ${what}`)];
  });
}

/** One place has one hand that writes to it. */
function otherSettings(root: TreeNode, path: Path, to: string, firsts: Map<string, First>): ConfigProblem[] {
  const kind = kindOfTarget(to);
  if (kind === 'version') return [];
  const { key } = kinds[kind];
  const node = nodeAt(root, [...path, key]);
  const mark = keyMarkAt(root, node === undefined ? [...path, 'to'] : [...path, key]);
  const settings = JSON.stringify(
    sharedSettings[key].map((setting) => {
      const value = nodeAt(root, [...path, key, ...setting]);
      return value instanceof ScalarNode ? value.value : null;
    }),
  );
  const name = nameOfTarget(to);
  const first = firsts.get(name);
  if (first === undefined) firsts.set(name, { settings, line: mark.line });
  if (first === undefined || first.settings === settings) return [];
  const message =
    kind === 'file'
      ? `\`${name}\` is recorded to with other settings at line ${first.line}; one directory has one \`recording\``
      : `\`${name}\` is published to with other settings at line ${first.line}; one stream has one \`stream\``;
  return [errorAt(mark, message)];
}
