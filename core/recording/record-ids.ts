/** Names of records and times in them. */
import { isoTime } from '../clock.js';

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/**
 * UUIDs of version 8 (RFC 9562, section 5.8): 74 random bits of one writer, and a count. One that is random
 * throughout costs ten times as much.
 */
export class RecordIds {
  readonly #start: string;
  #count = 0;

  /** `random`: 16 random bytes. */
  constructor(random: Uint8Array) {
    const digits = Buffer.from(random).toString('hex');
    const variant = hex(8 + (random[15]! & 3), 1);
    this.#start = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(12, 15)}-${variant}${digits.slice(15, 18)}-`;
  }

  next(): string {
    return this.#start + hex(this.#count++, 12);
  }
}

/** `2026-01-31T12:00:00.123456Z`, with the second kept from one call to the next. */
export class Dates {
  #second = Number.NaN;
  #text = '';

  text(wallUs: number): string {
    const us = Math.floor(wallUs);
    const second = Math.floor(us / 1e6);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = isoTime(second * 1000).slice(0, 20);
    }
    return `${this.#text}${String(us - second * 1e6).padStart(6, '0')}Z`;
  }
}
