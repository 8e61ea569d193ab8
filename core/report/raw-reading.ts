/**
 * The body of `GET /api/histograms`: a whole reading with its histograms, for uses that need more than
 * percentiles (a verdict, a report, a live view). Histograms are in HdrHistogram's V2 encoding, which its own
 * tools read. The objects follow the snapshots field by field, so that a new counter needs no code here.
 */
import { decodePayload, encodePayload } from '../hlog/payload.js';
import { sameShape, umbraShape } from '../hlog/shape.js';
import { SLOTS } from '../record/hdr-layout.js';
import { Histogram } from '../record/histogram.js';
import { readMirror, readVersion } from '../record/snapshot.js';
import { noEndpointPairs } from '../verdict/endpoint-pairs.js';
import { noPairs } from '../verdict/pair-counts.js';
import { SlotCounts } from '../verdict/slot-counts.js';
import type { Reading } from './reading.js';

/** The encoded form of a `Histogram`. */
interface RawHistogram {
  readonly hdr: string;
  readonly count: number;
  readonly sumUs: number;
  readonly minUs: number;
  readonly maxUs: number;
  readonly clamped: number;
}

/**
 * `encodeReading` returns an object for JSON. Control thread: some tenths of a millisecond per histogram that
 * is not empty.
 */
export function encodeReading(reading: Reading): object {
  return encode(reading) as object;
}

/**
 * `decodeReading` throws an Error with a short message when `json` comes from another program or another
 * version of umbra.
 */
export function decodeReading(json: unknown): Reading {
  const reading = decode(json) as Reading;
  const versions = readVersion([]);
  const mirrors = readMirror([]);
  try {
    expect(reading, {
      generation: 0,
      uptimeS: 0,
      engine: '',
      versions: [],
      mirrors: [],
      threads: [],
      rings: [],
      control: {},
    });
    expect(reading.control, { fleet: {}, live: {} });
    for (const version of reading.versions) {
      expect(version, { name: '', role: '' });
      expect(version.counts, versions);
    }
    for (const mirror of reading.mirrors) {
      expect(mirror, { route: '', to: '', enabled: true, percent: 0, blocks: [], endpoints: [] });
      expect(mirror.counts, mirrors);
      for (const block of mirror.blocks) {
        expect(block, { startMs: 0, lengthMs: 0, pairs: {} });
        expect(block.pairs, noPairs);
      }
      for (const endpoint of mirror.endpoints) expect(endpoint, noEndpointPairs);
    }
    for (const thread of reading.threads) expect(thread, { kind: '', name: '', counts: [] });
    for (const ring of reading.rings) expect(ring, { name: '', usedBytes: 0 });
  } catch (error) {
    throw new Error(`these are not the figures of this version of umbra: ${(error as Error).message}`);
  }
  return reading;
}

/** `encode` returns a value for JSON, with histograms and slots as texts. `decode` reads it. */
export function encode(value: unknown): unknown {
  if (value instanceof Histogram) return encodeHistogram(value);
  if (value instanceof SlotCounts) return { slotCounts: value.encode() };
  if (value instanceof Map) return { byCode: Object.fromEntries(value) };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, encode(part)]));
}

function encodeHistogram(histogram: Histogram): RawHistogram {
  const { count, sumUs, minUs, maxUs, clamped } = histogram;
  return { hdr: encodePayload(histogram), count, sumUs, minUs, maxUs, clamped };
}

/** `decode` throws an Error of a few words where a histogram is cut short or of another shape. */
export function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Record<string, unknown>;
  if (typeof given.slotCounts === 'string') return SlotCounts.decode(given.slotCounts);
  if (typeof given.hdr === 'string') return decodeHistogram(value as RawHistogram);
  if (typeof given.byCode === 'object' && given.byCode !== null) {
    return new Map(Object.entries(given.byCode).map(([code, count]) => [Number(code), Number(count)]));
  }
  return Object.fromEntries(Object.entries(given).map(([key, part]) => [key, decode(part)]));
}

function decodeHistogram({ hdr, sumUs, minUs, maxUs, clamped }: RawHistogram): Histogram {
  const { shape, slots, counts } = decodePayload(hdr);
  const last = slots[slots.length - 1] ?? -1;
  if (!sameShape(shape, umbraShape) || last >= SLOTS)
    throw new Error('a histogram has another shape than umbra’s');
  const first = slots[0] ?? 0;
  const dense = new Float64Array(last < 0 ? 0 : last - first + 1);
  slots.forEach((slot, i) => {
    dense[slot - first] = counts[i];
  });
  return Histogram.ofSlots(dense, { sumUs, minUs, maxUs, clamped }, first);
}

/**
 * `expect` checks that every key of `template` has a value of the same kind. It throws with the key's name.
 */
export function expect(given: unknown, template: object): void {
  for (const [key, wanted] of Object.entries(template)) {
    const value =
      typeof given === 'object' && given !== null ? (given as Record<string, unknown>)[key] : undefined;
    if (kindOf(value) !== kindOf(wanted)) throw new Error(`\`${key}\` is missing or of another kind`);
  }
}

function kindOf(value: unknown): string {
  if (value instanceof Histogram) return 'histogram';
  if (value instanceof SlotCounts) return 'slots';
  if (value instanceof Map) return 'map';
  return Array.isArray(value) ? 'array' : typeof value;
}
