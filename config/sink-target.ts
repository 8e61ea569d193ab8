/** `to` of a mirror: the name of a version, or a sink. */
import { parseName } from './names.js';
import { formatStreamAddress, isStreamAddress, parseStreamAddress, streamName } from './nats-address.js';
import { Refusal } from './units.js';

const fileScheme = 'file:';

export type TargetKind = 'version' | 'file' | 'stream';

export function kindOfTarget(to: string): TargetKind {
  if (to.startsWith(fileScheme)) return 'file';
  return isStreamAddress(to) ? 'stream' : 'version';
}

export function isSinkTarget(to: string): boolean {
  return kindOfTarget(to) !== 'version';
}

/**
 * `formatTarget` returns the target for the effective configuration: the credentials of a stream are hidden.
 */
export function formatTarget(to: string): string {
  if (kindOfTarget(to) !== 'stream') return to;
  const parsed = parseStreamAddress(to);
  return parsed instanceof Refusal ? to : formatStreamAddress(parsed);
}

/** `directoryOf` returns the directory of `file:DIRECTORY`, as written. */
export function directoryOf(to: string): string {
  return to.slice(fileScheme.length);
}

/**
 * `nameOfTarget` returns the target's name in metrics, commands and messages: as written, but without the
 * credentials of a stream.
 */
export function nameOfTarget(to: string): string {
  if (kindOfTarget(to) !== 'stream') return to;
  const parsed = parseStreamAddress(to);
  return parsed instanceof Refusal ? 'the stream' : streamName(parsed);
}

export function parseTarget(to: string): string | Refusal {
  const kind = kindOfTarget(to);
  if (kind === 'version') return parseName(to);
  if (kind === 'stream') {
    const parsed = parseStreamAddress(to);
    return parsed instanceof Refusal ? parsed : to;
  }
  const directory = directoryOf(to);
  if (directory === '' || /\p{Cc}/u.test(directory))
    return new Refusal('expected file: and a directory, such as file:./recordings');
  if (directory.startsWith('//'))
    return new Refusal('expected a path behind file:, such as file:./recordings or file:/var/lib/umbra');
  return to;
}
