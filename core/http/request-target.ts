/**
 * The forms of a request target (RFC 9112, section 3.2). The upstream gets origin-form, or `*`. Absolute-form
 * is split here, and its authority replaces the Host field's value (section 3.2.2).
 */
import { Char } from './chars.js';

/** `http` or `https`, an authority without user information, and the rest. */
const absoluteForm = /^https?:\/\/([^/?@]+)([/?].*)?$/is;
/**
 * uri-host [ ":" port ] of RFC 9110, section 7.2, without the comma: a list means that two Host fields were
 * joined.
 */
const hostForm = /^(?:[A-Za-z0-9\-._~%!$&'()*+;=]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?$/;

/** `isHost` returns true when `host` is valid in a Host field. */
export function isHost(host: string): boolean {
  return hostForm.test(host);
}

/** `isOriginForm` returns true for nearly all targets, which are then forwarded unchanged. */
export function isOriginForm(target: string): boolean {
  return target.charCodeAt(0) === Char.SLASH;
}

/** The parts of a target that is not origin-form. */
export interface TargetParts {
  /** Origin-form, or `*`. */
  readonly target: string;
  /** The authority of absolute-form; null to keep the Host field. */
  readonly host: string | null;
}

/**
 * `readTarget` reads absolute-form and asterisk-form, and returns null for anything else. It is rare and may
 * allocate.
 */
export function readTarget(method: string, target: string): TargetParts | null {
  const isOptions = method === 'OPTIONS';
  if (target === '*') return isOptions ? { target, host: null } : null;
  const match = absoluteForm.exec(target);
  if (match === null || !isHost(match[1]!)) return null;
  const rest = match[2] ?? '';
  // RFC 9112, section 3.2.4: OPTIONS with an empty path addresses the server itself.
  if (rest === '') return { target: isOptions ? '*' : '/', host: match[1]! };
  return { target: rest.startsWith('?') ? `/${rest}` : rest, host: match[1]! };
}
