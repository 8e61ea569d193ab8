/**
 * The mark that every copy carries, so that a mirror never mirrors a mirror: where the way of a copy leads
 * through this or another umbra again (two that mirror to each other, a shadow that calls its primary's
 * address), it is forwarded like any request and not copied, and counted as dropped for the reason `loop`.
 *
 * A client can send the field as well: its requests are then served and not mirrored. That hides nothing, for
 * each is in that counter; who does not want it takes the field off at the edge.
 */
import { fieldValue } from '../http/fields.js';

/** In lower case. */
export const loopMarkName = 'x-umbra-mirror';

const loopMarkLine = `${loopMarkName}: 1\r\n`;

export function isCopy(fields: string): boolean {
  return fieldValue(fields, loopMarkName) !== null;
}

/**
 * Field lines of a copy with the mark. One that the mirror's own header edits have set stands, whatever its
 * value.
 */
export function marked(fields: string): string {
  return isCopy(fields) ? fields : fields + loopMarkLine;
}
