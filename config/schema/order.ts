/** `order` of a mirror: the key that its copies are ordered by. */
import type { OrderPlan } from '../../core/plan.js';
import { isToken } from '../fields.js';
import { Refusal } from '../units.js';
import { text } from './values.js';

const expected = 'expected client, connection, header:NAME, cookie:NAME or off';

export type OrderConfig = Pick<OrderPlan, 'by' | 'name'> | 'off';

function parseOrder(order: string): OrderConfig | Refusal {
  if (order === 'off') return order;
  if (order === 'client' || order === 'connection') return { by: order, name: '' };
  const colon = order.indexOf(':');
  const by = order.slice(0, Math.max(0, colon));
  const name = order.slice(colon + 1);
  if ((by !== 'header' && by !== 'cookie') || !isToken(name)) return new Refusal(expected);
  return { by, name: by === 'header' ? name.toLowerCase() : name };
}

function formatOrder(order: OrderConfig): string {
  if (order === 'off') return order;
  return order.name === '' ? order.by : `${order.by}:${order.name}`;
}

export const order = text(expected, parseOrder, formatOrder);
