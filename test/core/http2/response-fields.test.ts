import fc from 'fast-check';
import { Field } from '../../../core/http2/field.js';
import { ResponseFields } from '../../../core/http2/response-fields.js';
import t from '../../support/tap.js';
import { fieldOf, type Pair } from './hpack-lists.js';

const pairs: readonly Pair[] = [
  [':status', '200'],
  [':status', '404'],
  [':status', '103'],
  [':status', '2000'],
  ['date', 'Tue, 05 Aug 2025 10:00:00 GMT'],
  ['server', 'nginx'],
  ['server', 'a server with a longer name'],
  ['content-length', '5'],
  ['content-length', '6'],
  ['trailer', 'grpc-status'],
  ['x', ''],
  ['connection', 'close'],
];
const STATUSES = 4;
/** Fields that do not change, as a table or the cache of literals passes them. */
const kept = pairs.map(([name, value]) => fieldOf(name, value).kept());
/** The one object in which the decoder passes all other literals. */
const reused = new Field();

/** Returns what a response is, as text. `isKept`: its fields are objects that do not change. */
function read(fields: ResponseFields, list: readonly number[], isKept: boolean, isEnded: boolean): string {
  fields.begin();
  for (const index of list) {
    reused.set(...pairs[index]!);
    fields.onField(isKept ? kept[index]! : reused);
  }
  if (!fields.complete(isEnded, false)) return 'malformed';
  const { head } = fields;
  const rows = Array.from({ length: head.fieldCount }, (_, row) => [
    head.fieldName(row),
    head.fieldText(row),
    head.isForwarded(row),
  ]);
  const { status, framing, contentLength, hasContentLength, hasDate, lengthRow, lengthRows } = head;
  const out = Buffer.alloc(head.scanned + 64);
  const forwarded = out.toString('latin1', 0, head.writeForward(out, 0));
  const text = head.bytes.toString('latin1', 0, head.scanned);
  const figures = { status, framing, contentLength, hasContentLength, hasDate, lengthRow, lengthRows };
  return JSON.stringify([text, forwarded, rows, figures]);
}

t.test('a response reads the same whatever was read before it', async () => {
  const first = fc.constantFrom(0, 0, 0, 0, 1, 2, 3);
  // A second status, and fields of a connection, make a response malformed in the middle.
  const rest = fc.array(
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: STATUSES, max: pairs.length - 2 }) },
      { weight: 1, arbitrary: fc.nat({ max: pairs.length - 1 }) },
    ),
    { maxLength: 6 },
  );
  const response = fc.tuple(first, rest, fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(fc.array(response, { maxLength: 20 }), (responses) => {
      const fields = new ResponseFields();
      return responses.every(([status, others, isKept, isEnded]) => {
        const list = [status, ...others];
        return read(fields, list, isKept, isEnded) === read(new ResponseFields(), list, false, isEnded);
      });
    }),
    { numRuns: 1000 },
  );
});
