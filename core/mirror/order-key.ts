/**
 * The key by which copies go out in order: those with one key wait for each other on one shadow thread
 * (core/mirror/order-queues). The key is a hash of 32 bits, made on the proxy thread without an allocation of
 * its own. Two keys with one hash only wait for each other without need.
 */
import type { RequestHead } from '../http/message.js';
import { type NamedField, NamedFields } from '../http/named-fields.js';
import { Span } from '../http/span.js';
import type { OrderPlan } from '../plan.js';
import { findCookie } from '../route/cookie.js';
import { hashed, hashedSlice, mixed } from '../route/hash.js';
import type { ClientAddress } from '../route/sampler.js';

/** Sentinel: the request is in no order. */
export const noOrder = 0;

/** The sender of a request, as its engine knows it. A `Responder` is one. */
export interface ClientIdentity extends ClientAddress {
  /**
   * A number that the connection has to itself on its thread, not 0; 0: the engine knows no connections.
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
   * Returns the key of a request, from 1 to 2^32 - 1; `noOrder` where it has no such header, cookie or
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
