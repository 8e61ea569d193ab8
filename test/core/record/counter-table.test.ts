import { Registry } from 'prom-client';
import { CounterBlock } from '../../../core/record/counter-block.js';
import { CounterRows, type CounterTable, type Kind } from '../../../core/record/counter-table.js';
import { GrpcMethods } from '../../../core/record/grpc-methods.js';
import { mirrorTable } from '../../../core/record/mirror-counters.js';
import { combine, readTable } from '../../../core/record/snapshot.js';
import { threadTable } from '../../../core/record/thread-counters.js';
import { versionTable } from '../../../core/record/version-counters.js';
import { addTable } from '../../../core/report/table-metrics.js';
import { statsOf } from '../../../core/report/table-stats.js';
import t from '../../support/tap.js';

const rows = new CounterRows();
const Field = {
  asked: rows.counter({ metric: 'asked_total', help: 'Questions asked.', stats: 'asked' }),
  hard: rows.counter({ metric: 'kind_total', help: 'Questions by kind.', labels: { kind: 'hard' } }),
  easy: rows.counter({ metric: 'kind_total', help: 'Questions by kind.', labels: { kind: 'easy' } }),
  open: rows.gauge({ metric: 'open', help: 'Open questions.', stats: 'open.now' }),
  oldest: rows.highest({ metric: 'oldest', help: 'Number of the oldest question.', stats: 'open.oldest' }),
  lost: rows.reasons(['late', 'full'], { metric: 'lost_total', help: 'Lost questions.', stats: 'lost' }),
  codes: rows.codes(),
  time: rows.hdr({ metric: 'time_seconds', help: 'Time to answer.', stats: 'timeUs' }, ['count', 'max']),
  kept: rows.counter({ metric: 'kept_total', help: 'Kept.', sinkOnly: true }),
  seldom: rows.counter({ metric: 'seldom_total', help: 'Seldom.', sparse: true }),
};
const table = rows.named(Field);

class Block extends CounterBlock {
  constructor() {
    super(CounterBlock.shared(table), table);
  }
}

function work(block: Block, times: number): void {
  for (let i = 0; i < times; i++) {
    block.add(Field.asked);
    block.add(Field.hard, 2);
    block.add(Field.easy);
    block.add(Field.open);
    block.addReason(Field.lost, 1);
    block.addReason(Field.codes as never, 404 - 100);
    block.hdr(Field.time).record(50);
  }
  block.setHighest(Field.oldest, times);
}

t.test(
  'one row is a word of the block, a figure of snapshots, a key of the stats and a metric',
  async (t) => {
    const blocks = [new Block(), new Block()];
    work(blocks[0], 1);
    work(blocks[1], 2);
    const counts = readTable(table, blocks);
    t.match(counts, { asked: 3, hard: 6, easy: 3, open: 3, oldest: 2, lost: [0, 3], kept: 0, seldom: 0 });
    t.strictSame([...counts.codes], [[404, 3]]);
    t.strictSame(statsOf(table, counts), {
      asked: 3,
      open: { now: 3, oldest: 2 },
      lost: { late: 0, full: 3 },
      timeUs: { count: 3, max: 50 },
    });
    const registry = new Registry();
    addTable(registry, table, ['of'], [{ labels: { of: 'a' }, counts }]);
    const page = await registry.metrics();
    const samples = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    t.strictSame(samples, [
      'asked_total{of="a"} 3',
      'kind_total{of="a",kind="hard"} 6',
      'kind_total{of="a",kind="easy"} 3',
      'open{of="a"} 3',
      'oldest{of="a"} 2',
      'lost_total{of="a",reason="late"} 0',
      'lost_total{of="a",reason="full"} 3',
      'time_seconds{of="a",quantile="0.5"} 0.00005',
      'time_seconds{of="a",quantile="0.9"} 0.00005',
      'time_seconds{of="a",quantile="0.99"} 0.00005',
      'time_seconds{of="a",quantile="0.999"} 0.00005',
      'time_seconds_sum{of="a"} 0.00015',
      'time_seconds_count{of="a"} 3',
    ]);
  },
);

t.test(
  'counters are subtracted and added, gauges are those of the end and add, the highest is kept',
  async (t) => {
    const block = new Block();
    work(block, 1);
    const earlier = readTable(table, [block]);
    work(block, 3);
    const later = readTable(table, [block]);
    const between = combine(table, later, earlier, 'subtract');
    t.match(between, { asked: 3, hard: 6, open: 4, oldest: 3, lost: [0, 3] });
    t.strictSame([...between.codes], [[404, 3]]);
    t.equal(between.time.count, 3);
    const both = combine(table, later, earlier, 'add');
    t.match(both, { asked: 5, hard: 10, open: 5, oldest: 3, lost: [0, 5] });
    t.strictSame([...both.codes], [[404, 5]]);
    t.equal(both.time.count, 5);
  },
);

t.test('a dead writer’s gauges are zero or not known, and its counters stay', async (t) => {
  const block = new Block();
  work(block, 2);
  block.resetGauges();
  t.match(readTable(table, [block]), { asked: 2, open: 0, oldest: -1, lost: [0, 2] });
});

const tables: [string, CounterTable][] = [
  ['version', versionTable],
  ['mirror', mirrorTable],
  ['thread', threadTable],
];
for (const [name, { rows, words, hdrs, bytes }] of tables) {
  t.test(`the rows of the ${name} table share no word, and fill the block`, async (t) => {
    const widths: Partial<Record<Kind, number>> = { codes: 500, methods: GrpcMethods.words };
    const width = ({ kind, reasons }: (typeof rows)[number]) =>
      kind === 'reasons' ? reasons.length : (widths[kind] ?? 1);
    const used = rows
      .filter(({ kind }) => kind !== 'hdr')
      .flatMap((row) => Array.from({ length: width(row) }, (_, i) => row.index + i));
    t.strictSame(
      used,
      Array.from({ length: words }, (_, i) => i),
    );
    t.strictSame(
      rows.filter(({ kind }) => kind === 'hdr').map(({ index }) => index),
      Array.from({ length: hdrs }, (_, i) => i),
    );
    t.ok(bytes >= words * 8);
  });

  t.test(`every metric of the ${name} table has a help text that can be read alone`, async (t) => {
    for (const { metric, help = '' } of rows) {
      if (metric === undefined) continue;
      t.match(help, /^[A-Z].*\.$/, `${metric} is a sentence`);
      t.notMatch(help, /^(Of |Those |These |The same|Them )/, `${metric} does not lean on another`);
    }
  });
}
