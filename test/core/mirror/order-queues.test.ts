import fc from 'fast-check';
import { limits } from '../../../core/limits.js';
import { type OrderedCopy, OrderQueues } from '../../../core/mirror/order-queues.js';
import t from '../../support/tap.js';

class Copy implements OrderedCopy {
  nextInOrder: this | null = null;
  previousInOrder: this | null = null;
  advanced = false;
  readonly orderKey: number;
  readonly offeredUs: number;
  readonly #onAdvance: (copy: Copy) => void;

  constructor(orderKey: number, offeredUs: number, onAdvance: (copy: Copy) => void = () => {}) {
    this.orderKey = orderKey;
    this.offeredUs = offeredUs;
    this.#onAdvance = onAdvance;
  }

  advance(): void {
    this.advanced = true;
    this.#onAdvance(this);
  }
}

t.test('a copy advances once the one before it with the same key has left', async (t) => {
  const queues = new OrderQueues<Copy>();
  const [first, second, other] = [new Copy(1, 1), new Copy(1, 2), new Copy(2, 2)];
  for (const copy of [first, second, other]) queues.enter(copy);
  queues.advanceUpTo(10);
  t.strictSame([first.advanced, second.advanced, other.advanced], [true, false, true]);
  queues.leave(first);
  queues.advanceUpTo(10);
  t.ok(second.advanced);
  for (const copy of [second, other]) queues.leave(copy);
  t.equal(queues.count, 0);
});

t.test('a copy that was offered earlier goes first although it comes later, from another ring', async (t) => {
  const queues = new OrderQueues<Copy>();
  const [read, write] = [new Copy(1, 20), new Copy(1, 10)];
  queues.enter(read);
  queues.advanceUpTo(15);
  t.notOk(read.advanced, 'the other ring was not read as far as the read was offered');
  queues.enter(write);
  queues.advanceUpTo(30);
  t.strictSame([write.advanced, read.advanced], [true, false]);
});

t.test('a copy that ends at once lets the next one advance in the same call', async (t) => {
  const queues = new OrderQueues<Copy>();
  const copies = [1, 2, 3].map((atUs) => new Copy(7, atUs, (copy) => queues.leave(copy)));
  for (const copy of copies) queues.enter(copy);
  queues.advanceUpTo(10);
  t.ok(copies.every(({ advanced }) => advanced));
  t.equal(queues.count, 0);
});

t.test('a key takes so many copies, and all keys together so many', async (t) => {
  const queues = new OrderQueues<Copy>();
  for (let i = 0; i < limits.orderedPerKey; i++) queues.enter(new Copy(1, i));
  t.ok(queues.isFull(1));
  t.notOk(queues.isFull(2));
  for (let i = limits.orderedPerKey; i < limits.orderedCopies; i++) queues.enter(new Copy(1000 + i, i));
  t.ok(queues.isFull(2));
});

type Step =
  | { readonly kind: 'enter'; readonly key: number; readonly ring: number }
  | { readonly kind: 'read' }
  | { readonly kind: 'end' | 'cancel'; readonly pick: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('enter' as const), key: fc.nat(2), ring: fc.nat(1) }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'read' }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('end' as const, 'cancel' as const), pick: fc.nat(50) }),
  },
);

t.test(
  'whatever comes, waits and ends, copies of a key advance one at a time and in the order of their times',
  async () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queues = new OrderQueues<Copy>();
        const rings: Copy[][] = [[], []];
        const advanced = new Map<number, number>();
        const present: Copy[] = [];
        let timeUs = 0;
        let sound = true;
        const onAdvance = (copy: Copy): void => {
          const alone = present.every(
            (one) => one === copy || one.orderKey !== copy.orderKey || !one.advanced,
          );
          if (!alone || (advanced.get(copy.orderKey) ?? 0) > copy.offeredUs) sound = false;
          advanced.set(copy.orderKey, copy.offeredUs);
        };
        const leave = (copy: Copy): void => {
          present.splice(present.indexOf(copy), 1);
          queues.leave(copy);
          queues.advanceUpTo(timeUs);
        };
        for (const one of steps) {
          if (one.kind === 'enter') rings[one.ring].push(new Copy(one.key, ++timeUs, onAdvance));
          else if (one.kind === 'read') {
            // The rings in the wrong order, and all of them before anything advances.
            for (const copy of [...rings[1].splice(0), ...rings[0].splice(0)]) {
              present.push(copy);
              queues.enter(copy);
            }
            queues.advanceUpTo(timeUs);
          } else {
            const picked = present.filter(({ advanced }) => advanced === (one.kind === 'end'));
            if (picked.length > 0) leave(picked[one.pick % picked.length]);
          }
        }
        const keys = new Set(present.map(({ orderKey }) => orderKey));
        const underWay = present.filter(({ advanced }) => advanced).length;
        return sound && queues.count === present.length && underWay === keys.size;
      }),
    );
  },
);
