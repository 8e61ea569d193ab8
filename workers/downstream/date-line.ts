import { wallClockMs } from '../../core/clock.js';

const MS_PER_SECOND = 1000;

let dateSecond = -1;
let dateText = '';

/** RFC 9110, section 6.6.1: a Date is added where the origin sent none. Made once a second. */
export function dateLine(): string {
  const second = Math.floor(wallClockMs() / MS_PER_SECOND);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `\r\nDate: ${new Date(second * MS_PER_SECOND).toUTCString()}`;
  }
  return dateText;
}
