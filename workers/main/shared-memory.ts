/**
 * The memory that threads share, besides counters: rings, doorbells, and which limits are reached. Main
 * creates it once, and it outlives the threads: a replacement continues where its predecessor stopped.
 */
import { randomBytes } from 'node:crypto';
import { limits } from '../../core/limits.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import { HeldBack } from '../../core/mirror/held-back.js';
import type { Plan } from '../../core/plan.js';
import {
  ConnectionCount,
  closeToConnections,
  createConnectionCounts,
} from '../../core/record/connection-count.js';
import { RouteCounts } from '../../core/record/route-counts.js';
import type { DataThreadKind, ObservedBlocks } from '../../core/report/observed.js';
import { createDoorbell } from '../../core/ring/doorbell.js';
import { createRing } from '../../core/ring/layout.js';
import type { ThreadStart } from '../protocol/messages.js';

/** The shared memory that a thread receives at its start. */
export type SharedStart = Pick<
  ThreadStart,
  | 'connectionCounts'
  | 'ticketKeys'
  | 'routeCounts'
  | 'rings'
  | 'doorbells'
  | 'fullSlots'
  | 'sink'
  | 'heldBack'
  | 'logRing'
  | 'logDoorbell'
  | 'pairRing'
  | 'pairDoorbell'
>;

/** What `ticketKeys` of `node:tls` must have. */
const TICKET_KEYS_BYTES = 48;

export class SharedMemory {
  readonly logDoorbell = createDoorbell();
  /** One for each thread, proxy threads first. */
  readonly logRings: readonly SharedArrayBuffer[];
  readonly pairDoorbell = createDoorbell();
  /** Indexed by shadow thread. */
  readonly pairRings: readonly SharedArrayBuffer[];
  readonly #proxies: number;
  readonly #shadows: number;
  readonly #listeners: number;
  readonly #connectionCounts: SharedArrayBuffer;
  readonly #ticketKeys: Uint8Array;
  /** Indexed by proxy thread, then by shadow thread. */
  readonly #rings: readonly (readonly SharedArrayBuffer[])[];
  /** Indexed by shadow thread. */
  readonly #doorbells: readonly SharedArrayBuffer[];
  /** Indexed by shadow thread, followed by the sink threads. */
  readonly #fullSlots: readonly SharedArrayBuffer[];
  /** Indexed by proxy thread. The memory is not touched until a sink is used. */
  readonly #sinkRings: readonly SharedArrayBuffer[];
  readonly #sinkDoorbell = createDoorbell();
  readonly #heldBack = HeldBack.create();
  /** Indexed by proxy thread. */
  readonly #routeCounts: readonly SharedArrayBuffer[];

  /** `plan` is the first one. Its threads and listeners stay for the life of the process. */
  constructor({ threads: { proxy, shadow, ringBytes }, listeners }: Plan, sinkThreads: number) {
    this.#proxies = proxy;
    this.#shadows = shadow;
    this.#listeners = listeners.length;
    this.#connectionCounts = createConnectionCounts(listeners.length, proxy);
    this.#ticketKeys = randomBytes(TICKET_KEYS_BYTES);
    this.#routeCounts = times(proxy, RouteCounts.create);
    this.#rings = times(proxy, () => times(shadow, () => createRing(ringBytes)));
    this.#sinkRings = times(proxy, () => createRing(ringBytes));
    this.#doorbells = times(shadow, createDoorbell);
    this.#fullSlots = times(shadow + sinkThreads, FullSlots.create);
    this.logRings = times(proxy + shadow, () => createRing(limits.accessLogRingBytes));
    this.pairRings = times(shadow, () => createRing(limits.pairRingBytes));
  }

  startOf(kind: DataThreadKind, index: number): SharedStart {
    const isProxy = kind === 'proxy';
    return {
      connectionCounts: this.#connectionCounts,
      ticketKeys: isProxy ? this.#ticketKeys : null,
      routeCounts: isProxy ? this.#routeCounts[index]! : null,
      ...this.#ringsOf(kind, index),
      sink: isProxy ? { ring: this.#sinkRings[index], doorbell: this.#sinkDoorbell } : null,
      heldBack: this.#heldBack,
      logRing: kind === 'sink' ? null : this.logRings[isProxy ? index : this.#proxies + index],
      logDoorbell: this.logDoorbell,
      pairRing: kind === 'shadow' ? this.pairRings[index] : null,
      pairDoorbell: this.pairDoorbell,
    };
  }

  /** `settleProxy` subtracts the connections of a proxy thread that is gone. */
  settleProxy(proxy: number): void {
    for (let listener = 0; listener < this.#listeners; listener++)
      new ConnectionCount(this.#connectionCounts, listener, proxy, this.#proxies).settle();
  }

  /** `closeToClients` makes proxy threads close new client connections at once while `closed` is true. */
  closeToClients(closed: boolean): void {
    closeToConnections(this.#connectionCounts, closed);
  }

  /** `observed` returns the part that the control thread reads. */
  observed(hasSinks: boolean): Pick<ObservedBlocks, 'heldBack' | 'rings' | 'routeCounts'> {
    return {
      heldBack: this.#heldBack,
      routeCounts: this.#routeCounts,
      rings: [
        ...this.#rings.flatMap((rings, proxy) =>
          rings.map((shared, shadow) => ({ name: `proxy-${proxy}/shadow-${shadow}`, shared })),
        ),
        ...(hasSinks ? this.#sinkRings : []).map((shared, proxy) => ({
          name: `proxy-${proxy}/sink-0`,
          shared,
        })),
      ],
    };
  }

  #ringsOf(kind: DataThreadKind, index: number): Pick<ThreadStart, 'rings' | 'doorbells' | 'fullSlots'> {
    const fullSlots = this.#fullSlots;
    if (kind === 'proxy') return { rings: this.#rings[index], doorbells: this.#doorbells, fullSlots };
    if (kind === 'sink') {
      const own = fullSlots[this.#shadows + index];
      return { rings: this.#sinkRings, doorbells: [this.#sinkDoorbell], fullSlots: [own] };
    }
    return {
      rings: this.#rings.map((rings) => rings[index]),
      doorbells: [this.#doorbells[index]],
      fullSlots: [fullSlots[index]],
    };
  }
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, () => make());
}
