/**
 * The key by which copies are ordered: copies with the same key wait for each other on one shadow thread
 * (core/mirror/order-queues). The key is a 32-bit hash, computed on the proxy thread without an allocation of
 * its own. Two keys with the same hash only wait for each other needlessly.
 */
import type { RequestHead } from '../http/message.js';
import { type NamedField, NamedFields } from '../http/named-fields.js';
import { Span } from '../http/span.js';
import type { OrderPlan } from '../plan.js';
import { findCookie } from '../route/cookie.js';
import { hashed, hashedSlice, mixed } from '../route/hash.js';
import type { ClientAddress } from '../route/sampler.js';

/** Sentinel: the request is not ordered. */
export const noOrder = 0;

/** Identifies the sender of a request. A `Responder` implements it. */
export interface ClientIdentity extends ClientAddress {
  /**
   * Returns a number that is unique to the connection on its thread, or 0 when the engine does not know
   * connections.
   */
  connectionKey(): number;
}

/** Belongs to one mirror on one proxy thread. */
export class OrderKey {
  readonly #plan: OrderPlan;
  readonly #fields = new NamedFields();
  readonly #field: NamedField | null;
  readonly #value = new Span();

  constructor(plan: OrderPlan) {
    this.#plan = plan;
    const name = plan.by === 'cookie' ? 'cookie' : plan.name;
    this.#field = name === '' ? null : this.#fields.add(name);
  }

  /**
   * `of` returns the key of a request, from 1 to 2^32 - 1, or `noOrder` when it lacks the header, cookie or
   * address.
   */
  of(head: RequestHead, client: ClientIdentity): number {
    const state = this.#stateOf(head, client);
    if (state === noOrder) return noOrder;
    // Mirrors with one target share queues, so that a write on one route is ordered before a read on another.
    return mixed(state ^ this.#plan.target) || 1;
  }

  #stateOf(head: RequestHead, client: ClientIdentity): number {
    const field = this.#field;
    if (field !== null) {
      this.#fields.read(head.fields);
      if (!this.#fields.has(field)) return noOrder;
      const value = this.#value;
      const { text, from, to } = field.span;
      if (this.#plan.by === 'header') value.setTrimmed(text, from, to);
      else if (!findCookie(field.span, this.#plan.name, value)) return noOrder;
      return value.from === value.to ? noOrder : hashedSlice(value.text, value.from, value.to);
    }
    if (this.#plan.by === 'connection') {
      const key = client.connectionKey();
      if (key !== 0) return key;
    }
    const address = head.client === '' ? client.clientAddress() : head.client;
    return address === '' ? noOrder : hashed(address);
  }
}
