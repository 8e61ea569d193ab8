/**
 * Decides which requests a mirror copies: a share of them in millionths (0.0001 %), at random or by a key.
 *
 * With a key (a header, a cookie or the client's address) the decision depends on the salt and the key alone,
 * not on the thread, instance, route or mirror. So a user is in the sample everywhere or nowhere, and two
 * mirrors of one share copy the same users. The sample of a larger share contains that of a smaller one:
 * going from 1 % to 5 % keeps the users that are mirrored already.
 */
import { fieldValue } from '../http/fields.js';
import type { RequestHead } from '../http/message.js';
import type { MirrorPlan, SamplePlan } from '../plan.js';
import { cookieValue } from './cookie.js';
import { hashed, mixed } from './hash.js';

/**
 * Knows the client's address, and is asked only by mirrors that sample by client. A `Responder` implements
 * it.
 */
export interface ClientAddress {
  clientAddress(): string;
}

/** 100 %. */
const WHOLE_MILLIONTHS = 1_000_000;

const UINT32_VALUES = 2 ** 32;

/** The position of a request without the key. */
const NO_PLACE = -1;

/**
 * Separates salt and key, so that salt `ab` with key `c` differs from salt `a` with key `bc`. No field value
 * contains this byte.
 */
const SEPARATOR = '\0';

export class Sampler {
  /** The hash's state after the salt; every key continues from here. */
  readonly #salted: number;
  readonly #random: () => number;

  /**
   * Instances with the same `salt` choose the same keys. `random` returns uniform integers from 0 to 2^32 -
   * 1; tests inject their own.
   */
  constructor(salt: string, random: () => number) {
    // The salt may contain any character. As UTF-8 its char codes are below 256, like those of a wire string.
    this.#salted = hashed(Buffer.from(salt + SEPARATOR, 'utf8').toString('latin1'));
    this.#random = random;
  }

  /**
   * `chosen` returns true when `mirror` copies this request; the caller has checked `mirror.enabled`. A share
   * of 0 copies nothing and 1_000_000 copies all, whatever the request. In between, a request without the key
   * (an absent or empty header or cookie) is not chosen, because all such requests would share one decision.
   * So a mirror keyed by a header that half of the requests carry copies half of its share, until the share
   * is 100 %.
   */
  chosen(mirror: MirrorPlan, head: RequestHead, client: ClientAddress): boolean {
    const share = mirror.shareMillionths;
    if (share <= 0) return false;
    if (share >= WHOLE_MILLIONTHS) return true;
    return this.#isWithin(mirror.sample, share, head, client);
  }

  /**
   * `stays` returns true when a chosen request is copied although the guard holds back `heldBackMillionths`
   * of the share. With a key it acts like a smaller share, so the same keys stay all the time. A request
   * without the key, which only a share of 1_000_000 chooses, does not stay.
   */
  stays(mirror: MirrorPlan, heldBackMillionths: number, head: RequestHead, client: ClientAddress): boolean {
    const kept = WHOLE_MILLIONTHS - heldBackMillionths;
    if (kept <= 0) return false;
    // The random choice was made before, so this one is relative to the requests that were chosen.
    if (mirror.sample.by === 'random') return toMillionths(this.#random()) < kept;
    return this.#isWithin(mirror.sample, (mirror.shareMillionths * kept) / WHOLE_MILLIONTHS, head, client);
  }

  /**
   * `place` returns the position of the request's key among all keys, 0 to 999_999 millionths, or a random
   * one for `random`. It returns -1 when the request has no key.
   */
  place(sample: SamplePlan, head: RequestHead, client: ClientAddress): number {
    switch (sample.by) {
      case 'random':
        return toMillionths(this.#random());
      case 'header':
        return this.#placeOf(fieldValue(head.fields, sample.name.toLowerCase()));
      case 'cookie':
        return this.#placeOf(cookieValue(head.fields, sample.name));
      case 'client':
        return this.#placeOf(head.client === '' ? client.clientAddress() : head.client);
    }
  }

  /** `fraction` returns a random number from 0 up to, and without, 1. */
  fraction(): number {
    return this.#random() / UINT32_VALUES;
  }

  /** `happens` returns true at random for the given share. */
  happens(shareMillionths: number): boolean {
    if (shareMillionths <= 0) return false;
    return shareMillionths >= WHOLE_MILLIONTHS || toMillionths(this.#random()) < shareMillionths;
  }

  #isWithin(sample: SamplePlan, share: number, head: RequestHead, client: ClientAddress): boolean {
    const place = this.place(sample, head, client);
    return place >= 0 && place < share;
  }

  #placeOf(key: string | null): number {
    if (key === null || key === '') return NO_PLACE;
    return toMillionths(mixed(hashed(key, this.#salted)));
  }
}

/**
 * `toMillionths` maps a uniform uint32 to [0, 1_000_000). Each millionth gets 4294 or 4295 of the 2^32
 * values, so a share is off by at most 0.023 % of itself. The product is below 2^53 and exact.
 */
function toMillionths(uint32: number): number {
  return Math.floor((uint32 * WHOLE_MILLIONTHS) / UINT32_VALUES);
}
