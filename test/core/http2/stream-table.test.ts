import fc from 'fast-check';
import { ignoringSink, Stream } from '../../../core/http2/stream.js';
import { StreamTable } from '../../../core/http2/stream-table.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';

t.test('a table has the streams that were added and not removed, in their order', async () => {
  const step = fc.record({ id: fc.nat({ max: 300 }), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const table = new StreamTable();
      const model = new Map<number, Stream>();
      for (const { id, isAdded } of steps) {
        const known = model.get(id);
        if (table.get(id) !== (known ?? null)) return false;
        if (isAdded && known === undefined) {
          const stream = new Stream(id, ignoringSink, 0, 0);
          model.set(id, stream);
          table.add(stream);
        } else if (!isAdded && known !== undefined) {
          model.delete(id);
          if (!table.remove(known) || table.remove(known)) return false;
        }
      }
      const ids = [...model.keys()].sort((a, b) => a - b);
      return (
        table.count === model.size &&
        table
          .all()
          .map(({ id }) => id)
          .join() === ids.join()
      );
    }),
  );
});

t.test('the latest streams that were reset are known', async (t) => {
  const table = new StreamTable();
  for (let id = 1; id <= limits.http2ResetStreams + 1; id++) table.rememberReset(id);
  t.notOk(table.wasReset(1));
  t.ok(table.wasReset(2));
  t.ok(table.wasReset(limits.http2ResetStreams + 1));
});
