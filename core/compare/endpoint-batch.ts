/**
 * Pairs by endpoint on their way from a shadow thread to the control thread: a batch names each endpoint once
 * and has a short record for each pair, so that a pair costs its thread a hash and a few stores, and the
 * control thread learns patterns once a batch. One batch is one frame; a full ring loses it, and the pairs
 * are counted.
 *
 *   payload   0  u32  names   4  u32  records   8  u32  bytes of the names
 *            12  names: u16 slot, u16 bytes, method SP pattern
 *             …  records: u16 name, u8 ends (`pairOutcomes`), u8 `Differs`, u32 primary's us, u32 shadow's us
 */
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import { endOfPath, PatternHash, patternOf } from './path-pattern.js';

const fixedBytes = 12;
const nameFixedBytes = 4;
const recordBytes = 12;
const recordsMax = 2048;
const namesMax = 256;
/** A power of two, so large that a place is free next to the one that a hash asks for. */
const places = 1024;
const noName = -1;

/** What loses its pairs where the ring is full. */
export interface EndpointLoss {
  lostByEndpoint(pairs: number): void;
}

/**
 * The two responses of a pair, to be counted by its endpoint. A thread fills one object for all its pairs.
 */
export class EndpointPair {
  /** An index of `pairOutcomes`. */
  outcome = 0;
  /** Bits of `Differs`. */
  differs = 0;
  /** Latencies, which count where the outcome is `ok`. */
  primaryUs = 0;
  shadowUs = 0;
}

export class EndpointBatch {
  readonly #hash = new PatternHash();
  /** By place: the hashes of a name, and its index. */
  readonly #first = new Int32Array(places);
  readonly #second = new Int32Array(places);
  readonly #slots = new Uint16Array(places);
  readonly #names = new Int16Array(places).fill(noName);
  readonly #texts: Buffer[] = [];
  #textBytes = 0;
  readonly #losses: EndpointLoss[] = [];
  readonly #pairsOf = new Uint32Array(namesMax);
  readonly #records = Buffer.alloc(recordsMax * recordBytes);
  readonly #view = new DataView(this.#records.buffer, this.#records.byteOffset, this.#records.byteLength);
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether the batch must be sent, because the next pair may not fit. */
  get isFull(): boolean {
    return this.#count === recordsMax || this.#texts.length === namesMax;
  }

  get bytes(): number {
    return fixedBytes + this.#textBytes + this.#count * recordBytes;
  }

  /** `add` takes one pair of a mirror's slot. The batch must not be full. */
  add(slot: number, loss: EndpointLoss, method: string, target: string, pair: EndpointPair): void {
    const name = this.#nameOf(slot, loss, method, target);
    this.#pairsOf[name]++;
    const at = this.#count++ * recordBytes;
    const view = this.#view;
    view.setUint16(at, name, true);
    view.setUint8(at + 2, pair.outcome);
    view.setUint8(at + 3, pair.differs);
    view.setUint32(at + 4, pair.primaryUs, true);
    view.setUint32(at + 8, pair.shadowUs, true);
  }

  /** Writes `bytes` bytes from `at` on. */
  writeTo(target: Buffer, at: number): void {
    target.writeUInt32LE(this.#texts.length, at);
    target.writeUInt32LE(this.#count, at + 4);
    target.writeUInt32LE(this.#textBytes, at + 8);
    let to = at + fixedBytes;
    for (const text of this.#texts) to += text.copy(target, to);
    this.#records.copy(target, to, 0, this.#count * recordBytes);
  }

  /** The batch could not be sent. */
  lose(): void {
    for (const [name, loss] of this.#losses.entries()) loss.lostByEndpoint(this.#pairsOf[name]);
  }

  clear(): void {
    this.#names.fill(noName);
    this.#pairsOf.fill(0);
    this.#texts.length = 0;
    this.#textBytes = 0;
    this.#losses.length = 0;
    this.#count = 0;
  }

  #nameOf(slot: number, loss: EndpointLoss, method: string, target: string): number {
    const hash = this.#hash;
    hash.of(method, target);
    const { first, second } = hash;
    let place = (first ^ slot) & (places - 1);
    for (; this.#names[place] !== noName; place = (place + 1) & (places - 1)) {
      if (this.#first[place] === first && this.#second[place] === second && this.#slots[place] === slot)
        return this.#names[place];
    }
    const name = this.#texts.length;
    this.#first[place] = first;
    this.#second[place] = second;
    this.#slots[place] = slot;
    this.#names[place] = name;
    this.#losses.push(loss);
    const pattern = `${method} ${patternOf(method, target.slice(0, endOfPath(target)))}`;
    const text = Buffer.from(`\0\0\0\0${pattern.slice(0, limits.diffValueChars)}`, 'latin1');
    text.writeUInt16LE(slot, 0);
    text.writeUInt16LE(text.byteLength - nameFixedBytes, 2);
    this.#texts.push(text);
    this.#textBytes += text.byteLength;
    return name;
  }
}

/** Counts one pair of an endpoint, as `EndpointBatch.add` took it. */
export interface EndpointCounter {
  count(outcome: number, differs: number, primaryUs: number, shadowUs: number): void;
}

/**
 * Reads the batch in `bytes` from `start` on. `counterOf` gets each name, `GET /users/*`, twice: the first
 * time it may learn that names are one, which moves counts. Null leaves the pairs of a name out.
 */
export function readEndpointBatch(
  bytes: Buffer,
  start: number,
  counterOf: (slot: number, name: string) => EndpointCounter | null,
): void {
  const [names, records] = [bytes.readUInt32LE(start), bytes.readUInt32LE(start + 4)];
  const named: (readonly [slot: number, name: string])[] = [];
  let at = start + fixedBytes;
  for (let i = 0; i < names; i++) {
    const textAt = at + nameFixedBytes;
    const end = textAt + bytes.readUInt16LE(at + 2);
    named.push([bytes.readUInt16LE(at), latin1Slice(bytes, textAt, end)]);
    at = end;
  }
  for (const [slot, name] of named) counterOf(slot, name);
  const counters = named.map(([slot, name]) => counterOf(slot, name));
  for (let i = 0; i < records; i++, at += recordBytes) {
    const primaryUs = bytes.readUInt32LE(at + 4);
    const shadowUs = bytes.readUInt32LE(at + 8);
    counters[bytes.readUInt16LE(at)]?.count(bytes[at + 2], bytes[at + 3], primaryUs, shadowUs);
  }
}
