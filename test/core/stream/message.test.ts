import t from 'tap';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import { decodeMessage, encodeMessage } from '../../../core/stream/message.js';
import { copyOf } from '../../support/copies.js';

t.test(
  "a message carries the key of its mirror's order, and none where the request is in no order",
  async (t) => {
    for (const [orderKey, order] of [
      [0xfeed, 'feed'],
      [0, ''],
    ] as const) {
      const { about, payload } = encodeMessage(copyOf({ orderKey }), new Redactor(redactNothingMore), 1);
      const exchange = decodeMessage(about, payload);
      if (typeof exchange === 'string') throw new Error(exchange);
      t.equal(exchange.order, order);
      t.equal(exchange.timeUs, 1);
    }
  },
);
