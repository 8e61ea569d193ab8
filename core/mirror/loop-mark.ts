/**
 * The field that marks every copy, so that a copy is never mirrored again. A copy may reach this or another
 * umbra: two may mirror to each other, or a shadow may call its primary's address. Such a copy is forwarded
 * like any request, but not mirrored, and counted as dropped for the reason `loop`.
 *
 * A client can send the field as well. Its requests are then served and not mirrored, and each is in that
 * counter. To prevent it, remove the field at the edge.
 */
import { fieldValue } from '../http/fields.js';

/** In lower case. */
export const loopMarkName = 'x-umbra-mirror';

const loopMarkLine = `${loopMarkName}: 1\r\n`;

export function isCopy(fields: string): boolean {
  return fieldValue(fields, loopMarkName) !== null;
}

/**
 * `marked` returns the field lines of a copy with the mark. A mark that the mirror's own header edits have
 * set is kept, whatever its value.
 */
export function marked(fields: string): string {
  return isCopy(fields) ? fields : fields + loopMarkLine;
}
