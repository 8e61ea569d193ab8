/** Reports the keys that a mirror to a sink, or to a shadow, can't have. */
import { type ConfigProblem, errorAt } from './problem.js';
import { kindOfTarget, nameOfTarget, type TargetKind } from './sink-target.js';
import { indexesAt, keyMarkAt, nodeAt, type Path, ScalarNode, type TreeNode, textAt } from './tree.js';

/** A sink keeps each copy as the client sent it. It sends no response that could be awaited or compared. */
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

/** The form of a target, by the key of its settings. */
const places = { recording: 'file:DIRECTORY', stream: 'nats://host:4222/subject' } as const;
type SettingsKey = keyof typeof places;

const kinds: Readonly<Record<Exclude<TargetKind, 'version'>, { key: SettingsKey; noun: string }>> = {
  file: { key: 'recording', noun: 'recording' },
  stream: { key: 'stream', noun: 'stream' },
};

/** Settings that all mirrors to one place share. Settings of one mirror alone are not listed. */
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

/** `keysNotFor` returns the keys of a mirror that belong to other kinds of targets than `to`. */
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
        ? `belongs to mirrors to ${places[key as SettingsKey]}`
        : `belongs to shadows, and \`${nameOfTarget(to)}\` is a ${own!.noun}`;
    return [errorAt(keyMarkAt(root, [...path, key]), `\`${key}\` ${what}`)];
  });
}

/** `otherSettings` reports different settings for one place, which has only one writer. */
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
