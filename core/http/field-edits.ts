/** Edits of a block of field lines held as a wire string (`name: value CRLF` each). */
import type { HeaderEdits } from '../plan.js';
import { Char } from './chars.js';

/**
 * `applyEdits` returns `fields` with `edits` applied: remove, then set (one field replaces all of that name),
 * then add. Values are literal; core/http/edited-fields handles values that may have commands.
 */
export function applyEdits(fields: string, edits: HeaderEdits): string {
  const gone = edits.set.length === 0 ? edits.remove : [...edits.remove, ...edits.set.map(([name]) => name)];
  let result = gone.length === 0 ? fields : withoutFields(fields, gone);
  for (const [name, value] of edits.set) result += `${name}: ${value}\r\n`;
  for (const [name, value] of edits.add) result += `${name}: ${value}\r\n`;
  return result;
}

/**
 * `withoutFields` returns `fields` without the lines whose name, in any case, is one of `lowerNames`. The
 * remaining lines keep their order and bytes.
 */
export function withoutFields(fields: string, lowerNames: readonly string[]): string {
  let result = '';
  let keptFrom = 0;
  let at = 0;
  while (at < fields.length) {
    const next = fields.indexOf('\n', at) + 1;
    if (isOneOf(fields, at, lowerNames)) {
      if (keptFrom < at) result += fields.slice(keptFrom, at);
      keptFrom = next;
    }
    at = next;
  }
  return keptFrom === 0 ? fields : result + fields.slice(keptFrom);
}

/** `isOneOf` compares names in place, because making a string of every name would cost more than the rest. */
function isOneOf(fields: string, line: number, lowerNames: readonly string[]): boolean {
  for (let i = 0; i < lowerNames.length; i++) {
    const name = lowerNames[i]!;
    if (fields.charCodeAt(line + name.length) === Char.COLON && isOrPassesFor(fields, line, name))
      return true;
  }
  return false;
}

/** `isOrPassesFor` compares in any case, and treats an underscore as a dash, as many servers do. */
function isOrPassesFor(fields: string, line: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    let code = fields.charCodeAt(line + i);
    if (code >= Char.UPPER_A && code <= Char.UPPER_Z) code |= Char.CASE_BIT;
    const wanted = name.charCodeAt(i);
    if (code !== wanted && !(code === Char.UNDERSCORE && wanted === Char.DASH)) return false;
  }
  return true;
}
