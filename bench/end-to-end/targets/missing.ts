import { isInstalled } from '../placement.js';
import { certificate } from './certificate.js';
import type { TargetCase } from './target.js';

/** Why a target can't run here (`Target.missing`); `command` is null where it needs no server of others. */
export function missingFor(command: string | null, { tls }: Pick<TargetCase, 'tls'>): string | null {
  if (command !== null && !isInstalled(command)) return `${command} is not installed`;
  return tls && certificate() === null ? 'openssl is not installed' : null;
}
