/**
 * Learns noise from two recordings of one version: what their responses to the same request differ in is
 * recorded as the baseline of the replay, before anything is sent.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordedExchange } from '../../core/recording/recorded.js';
import { SecondRecording } from '../../core/replay/second-recording.js';
import type { PairAnalysts } from './pair-analysts.js';
import { type FileOnDisk, RecordedTimeline } from './recorded-timeline.js';

/** Records after which timers and signals have their turn. */
const recordsPerTurn = 256;

/** Returns the number of pairs. Requests have the numbers that a replay of `files` gives them. */
export async function learnFromRecordings(
  files: readonly FileOnDisk[],
  others: readonly FileOnDisk[],
  filters: readonly string[],
  pairs: PairAnalysts,
  isStopped: () => boolean,
): Promise<number> {
  const second = new SecondRecording();
  for await (const exchange of exchangesOf(others, filters, isStopped)) if (!second.add(exchange)) break;
  let number = 0;
  let learned = 0;
  for await (const { request, response } of exchangesOf(files, filters, isStopped)) {
    number++;
    const again = second.take(request);
    if (response?.content == null || again === null) continue;
    const pair = { number, request, isBaseline: true, primary: response, shadow: again };
    if (!pairs.take(pair)) {
      await pairs.idle();
      pairs.take(pair);
    }
    learned++;
  }
  await pairs.idle();
  return learned;
}

/** Ends early where it is stopped. What is skipped is reported by whoever plays the files. */
async function* exchangesOf(
  files: readonly FileOnDisk[],
  filters: readonly string[],
  isStopped: () => boolean,
): AsyncGenerator<RecordedExchange> {
  const timeline = new RecordedTimeline(files, filters);
  let records = 0;
  for (const _ of timeline.index()) {
    if (++records % recordsPerTurn === 0) await nextTurn();
    if (isStopped()) return;
  }
  for (const exchange of timeline.exchanges()) {
    yield exchange;
    if (++records % recordsPerTurn === 0) await nextTurn();
    if (isStopped()) return;
  }
}
