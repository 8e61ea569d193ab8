/**
 * Offers one exchange to the mirrors of its route. Everything here is decided at once and in order:
 * sampled (from here on the request is eligible and accounted for), no copy itself, method, body size, held back by the
 * guard, room in the ring.
 */
import { Drop, Failure } from '../errors.js';
import { Framing, type RequestHead } from '../http/message.js';
import type { MirrorPlan } from '../plan.js';
import type { MirrorLedger } from '../record/mirror-ledger.js';
import type { ClientAddress, Sampler } from '../route/sampler.js';
import { type CopySource, FrameFlag, type Outcome } from './codec.js';
import type { HeldBack } from './held-back.js';
import { isCopy } from './loop-mark.js';
import { accepted, type MirrorPort } from './port.js';

/** Ids stay small integers for V8, and below `allExchanges`; far fewer exchanges are ever open at once. */
const exchangeIdMask = 0x3fff_ffff;

/** One mirror as a proxy thread runs it. */
export class Mirror {
  readonly plan: MirrorPlan;
  readonly ledger: MirrorLedger;

  constructor(plan: MirrorPlan, ledger: MirrorLedger) {
    this.plan = plan;
    this.ledger = ledger;
  }
}

/** The copy of one exchange to one mirror, while its request is under way. Reused with its exchange. */
export class MirrorCopy {
  mirror: Mirror | null = null;
  port: MirrorPort | null = null;
  exchangeId = 0;
  bodyBytes = 0;
  /** The copy still takes frames of the request. */
  open = false;

  /** The next piece of the request's body. */
  body(piece: Uint8Array, last: boolean): void {
    if (!this.open) return;
    const plan = this.mirror!.plan;
    this.bodyBytes += piece.byteLength;
    if (this.bodyBytes > plan.bodyBytesMax) {
      this.abort(Failure.BODY_TOO_LARGE);
      return;
    }
    const refused = this.port!.offerBody(plan.slot, this.exchangeId, piece, last);
    if (refused !== accepted) this.abort(refused);
    else if (last) this.open = false;
  }

  /** The trailers of the request's body, whose last piece follows. */
  trailers(lines: string): void {
    if (!this.open) return;
    const refused = this.port!.offerTrailers(this.mirror!.plan.slot, this.exchangeId, lines);
    if (refused !== accepted) this.abort(refused);
  }

  /** The request will not be completed. Nothing happens to a copy whose request is complete. */
  abort(reason: Failure): void {
    if (!this.open) return;
    this.open = false;
    this.port!.abort(this.exchangeId, reason);
  }

  outcome(outcome: Outcome): void {
    this.port!.outcome(this.exchangeId, outcome);
  }
}

export class MirrorOffer {
  readonly #ports: readonly MirrorPort[];
  readonly #heldBack: HeldBack;
  #sampler: Sampler;
  #lastId = 0;
  #turn = 0;

  constructor(ports: readonly MirrorPort[], sampler: Sampler, heldBack: HeldBack) {
    this.#ports = ports;
    this.#heldBack = heldBack;
    this.#sampler = sampler;
  }

  /** Requests that come from now on are sampled by this one. */
  sampleWith(sampler: Sampler): void {
    this.#sampler = sampler;
  }

  /**
   * Offers the request to each mirror and fills `copies` with those that took it; returns how many.
   * `head` is read before this returns; `source` was filled from it. `logged`: the copies are to have a line in the access
   * log, as their exchange has.
   */
  offer(
    mirrors: readonly Mirror[],
    head: RequestHead,
    source: CopySource,
    client: ClientAddress,
    atUs: number,
    logged: boolean,
    copies: MirrorCopy[],
  ): number {
    let count = 0;
    // By turns, so that each shadow thread sees an even part of every mirror: rate and in-flight bounds are divided among them.
    const port = this.#ports[this.#turn++ % this.#ports.length];
    for (let i = 0; i < mirrors.length; i++) {
      const mirror = mirrors[i];
      const plan = mirror.plan;
      if (!this.#sampler.chosen(plan, head, client)) continue;
      mirror.ledger.eligible();
      const unfit = whyUnfit(plan, head);
      if (unfit !== accepted) {
        mirror.ledger.dropped(unfit);
        continue;
      }
      const heldBack = this.#heldBack.of(plan.slot);
      if (heldBack > 0 && !this.#sampler.stays(plan, heldBack, head, client)) {
        mirror.ledger.dropped(Drop.GUARD);
        continue;
      }
      const exchangeId = this.#nextId();
      const last = head.framing === Framing.NONE;
      const flags = (last ? FrameFlag.LAST : 0) | (logged ? FrameFlag.LOGGED : 0);
      const refused = port.offerHead(plan.slot, exchangeId, source, flags, atUs, mirror.ledger);
      if (refused !== accepted) {
        mirror.ledger.dropped(refused);
        continue;
      }
      if (count === copies.length) copies.push(new MirrorCopy());
      const copy = copies[count++];
      copy.mirror = mirror;
      copy.port = port;
      copy.exchangeId = exchangeId;
      copy.bodyBytes = 0;
      copy.open = !last;
    }
    return count;
  }

  #nextId(): number {
    this.#lastId = (this.#lastId + 1) & exchangeIdMask;
    return this.#lastId;
  }
}

function whyUnfit(plan: MirrorPlan, head: RequestHead): Drop | typeof accepted {
  if (isCopy(head.fields)) return Drop.LOOP;
  if (head.upgrade !== '') return Drop.UPGRADE;
  if (plan.methods !== null && !plan.methods.includes(head.method)) return Drop.METHOD;
  if (head.framing === Framing.LENGTH && head.contentLength > plan.bodyBytesMax) return Drop.BODY_TOO_LARGE;
  return accepted;
}
