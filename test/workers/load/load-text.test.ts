import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { Histogram } from '../../../core/record/histogram.js';
import type { LoadFigures } from '../../../workers/load/drive.js';
import { barText, loadText } from '../../../workers/load/load-text.js';
import t from '../../support/tap.js';

function figures(more: Partial<LoadFigures> = {}): LoadFigures {
  const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  for (let i = 1; i <= 1000; i++) counts.record(i * 2);
  return {
    connections: 10,
    durationMs: 2000,
    latency: Histogram.read([counts]),
    notSuccessful: 3,
    errors: 2,
    timeouts: 0,
    failures: null,
    grpcStatuses: null,
    receivedBytes: 3 * 2 ** 20,
    gaveUp: false,
    ...more,
  };
}

t.test('the table shows answers, bytes, failures and percentiles', async (t) => {
  const text = loadText(figures(), 'http://h/', null);
  t.match(text, 'http://h/  10 connections, as fast as responses arrive, 2.0 s');
  t.match(text, /answers +1000 +500\.0\/s/);
  t.match(text, /received +3\.0 MiB +1\.5 MiB\/s/);
  t.match(text, /non-2xx +3\n/);
  t.match(text, /errors +2\n/);
  t.match(text, /p50 +p90 +p99 +p99\.9 +max\n/);
  t.match(text, /latency +1\.00 ms +1\.80 ms +1\.98 ms +2\.00 ms +2\.00 ms\n/);
});

t.test('it says from when latency counts', async (t) => {
  t.match(loadText(figures(), 'http://h/', 50), /50 requests\/s.*from the moment a request was due/s);
  t.match(loadText(figures(), 'http://h/', null), 'the next one waits for it');
});

t.test('timeouts are named among the errors', async (t) => {
  t.match(loadText(figures({ timeouts: 1 }), 'http://h/', null), /errors +2 +1 timeouts/);
});

t.test('the bar fills and never overflows', async (t) => {
  t.equal(barText(0, 10_000, 0), '[                        ] 10 s left, 0 answers');
  t.equal(barText(5000, 10_000, 7), '[============            ] 5 s left, 7 answers');
  t.equal(barText(11_000, 10_000, 9), '[========================] 0 s left, 9 answers');
});
