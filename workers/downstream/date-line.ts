import { wallClockMs } from '../../core/clock.js';

const MS_PER_SECOND = 1000;

let dateSecond = -1;
let dateText = '';
let fieldText = '';

/** RFC 9110, section 6.6.1: a Date is added where the origin sent none. Made once a second. */
export function dateLine(): string {
  refresh();
  return dateText;
}

/** The same as a whole line, with the CRLF behind it. */
export function dateField(): string {
  refresh();
  return fieldText;
}

function refresh(): void {
  const second = Math.floor(wallClockMs() / MS_PER_SECOND);
  if (second === dateSecond) return;
  dateSecond = second;
  fieldText = `Date: ${new Date(second * MS_PER_SECOND).toUTCString()}\r\n`;
  dateText = `\r\n${fieldText.slice(0, -2)}`;
}
