/**
 * Decides which requests a mirror copies: a share of them in millionths (0.0001 %), by chance or by a key.
 *
 * With a key (a header, a cookie or the client's address) the decision is a function of the salt and the key
 * alone: no thread, instance, route or mirror goes into it. So a user is in the sample everywhere or nowhere,
 * and two mirrors of one share copy the same users. The sample of a larger share contains that of a smaller
 * one: an operator can go from 1 % to 5 % and keep the users that are mirrored already.
 */
import { fieldValue } from '../http/fields.js';
import type { RequestHead } from '../http/message.js';
import type { MirrorPlan, SamplePlan } from '../plan.js';
import { cookieValue } from './cookie.js';
import { hashed, mixed } from './hash.js';

/** Who knows the client's address; asked only by mirrors that sample by client. A `Responder` is one. */
export interface ClientAddress {
  clientAddress(): string;
}

/** 100 %. */
const WHOLE_MILLIONTHS = 1_000_000;

const UINT32_VALUES = 2 ** 32;

/** The place of a request without the key. */
const NO_PLACE = -1;

/**
 * Between salt and key, so that salt `ab` with key `c` is not salt `a` with key `bc`. No field value has this
 * byte.
 */
const SEPARATOR = '\0';

export class Sampler {
  /** The hash's state once it has read the salt; every key goes on from here. */
  readonly #salted: number;
  readonly #random: () => number;

  /**
   * Instances with one `salt` choose the same keys. `random` gives whole numbers, uniform from 0 to 2^32 - 1;
   * it is handed in so that tests own it.
   */
  constructor(salt: string, random: () => number) {
    // The salt comes from a person: as UTF-8, like the bytes of a wire string, its char codes are below 256.
    this.#salted = hashed(Buffer.from(salt + SEPARATOR, 'utf8').toString('latin1'));
    this.#random = random;
  }

  /**
   * Whether `mirror` copies this request; the caller has looked at `mirror.enabled`. A share of 0 is never,
   * one of 1_000_000 always, both without looking at the request. In between, a request without the key (no
   * such header or cookie, or an empty one) is not chosen: all of them would share one answer. So a mirror
   * keyed by a header that half of the requests carry copies half of its share, until the share is 100 %.
   */
  chosen(mirror: MirrorPlan, head: RequestHead, client: ClientAddress): boolean {
    const share = mirror.shareMillionths;
    if (share <= 0) return false;
    if (share >= WHOLE_MILLIONTHS) return true;
    return this.#isWithin(mirror.sample, share, head, client);
  }

  /**
   * Whether a request that `mirror` has chosen is copied although the guard holds `heldBackMillionths` of its
   * share back. By key it is as if the share were smaller: those who stay are the same ones all the time. A
   * request without the key, which only a share of 1_000_000 has chosen, does not stay.
   */
  stays(mirror: MirrorPlan, heldBackMillionths: number, head: RequestHead, client: ClientAddress): boolean {
    const kept = WHOLE_MILLIONTHS - heldBackMillionths;
    if (kept <= 0) return false;
    // By chance the copy was chosen before, so this is a part of what was.
    if (mirror.sample.by === 'random') return toMillionths(this.#random()) < kept;
    return this.#isWithin(mirror.sample, (mirror.shareMillionths * kept) / WHOLE_MILLIONTHS, head, client);
  }

  /**
   * Where the request's key stands among all keys, or by chance anywhere: 0 to 999_999 millionths; -1: it has
   * no key.
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

  /** By chance: from 0 up to, and without, 1. */
  fraction(): number {
    return this.#random() / UINT32_VALUES;
  }

  /** By chance alone. */
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
 * Maps a uniform uint32 to [0, 1_000_000). Each millionth gets 4294 or 4295 of the 2^32 values, so a share is
 * off by at most 0.023 % of itself. The product is below 2^53 and exact.
 */
function toMillionths(uint32: number): number {
  return Math.floor((uint32 * WHOLE_MILLIONTHS) / UINT32_VALUES);
}
