import { SkippedRecords } from '../../../workers/commands/skipped-records.js';
import t from '../../support/tap.js';

t.test('the first records are named, and all are counted by reason', async (t) => {
  const printed: string[] = [];
  const skipped = new SkippedRecords((line) => printed.push(line));
  for (let i = 1; i <= 7; i++) skipped.add('a.gor', { offset: i, reason: `has ${i} bytes of a body of 9` });
  skipped.add('b.har', { offset: 4, reason: 'its body is not in the file' }, 'entry');
  t.equal(printed.length, 5);
  t.equal(printed[0], 'a.gor:1: skipped: has 1 bytes of a body of 9');
  t.strictSame(skipped.byReason, { 'has N bytes of a body of N': 7, 'its body is not in the file': 1 });
  t.strictSame(skipped.notes, [
    '7 records were skipped: has N bytes of a body of N; the first is a.gor:1',
    '1 record was skipped: its body is not in the file; the first is b.har: entry 4',
  ]);
});

t.test('reasons are bounded', async (t) => {
  const skipped = new SkippedRecords(() => {});
  for (let i = 0; i < 1000; i++) skipped.add('a', { offset: i, reason: `reason ${'x'.repeat(i)}` });
  t.equal(skipped.count, 1000);
  t.ok(Object.keys(skipped.byReason).length <= 33);
  t.equal(
    Object.values(skipped.byReason).reduce((a, b) => a + b, 0),
    1000,
  );
});
