/** Compiles a checked mirror with a sink to its part of the plan. */
import { limits } from '../core/limits.js';
import { type CapturePlan, type MirrorPlan, nothingCompared, pairsAlone } from '../core/plan.js';
import { type NatsSubject, parseStreamAddress, streamName } from './nats-address.js';
import type { MirrorConfig } from './schema.js';
import { kindOfTarget } from './sink-target.js';
import { shareMillionthsAll } from './units.js';

/** `compileSink` relies on `check-sink.ts`: no key is set that a sink does not have. */
export function compileSink(mirror: MirrorConfig, plan: MirrorPlan): MirrorPlan {
  return {
    ...plan,
    ...(kindOfTarget(mirror.to) === 'file' ? compileFileSink(mirror, plan) : compileStreamSink(mirror, plan)),
    // A sink keeps the client's request unchanged. Only bytes are bounded, because each copy waits until it
    // is written or acknowledged.
    host: { kind: 'preserve' },
    inFlightMax: limits.openMirroredExchanges,
  };
}

type Kept = Pick<MirrorPlan, 'sink' | 'capture' | 'compare'>;

function compileFileSink({ to, recording }: MirrorConfig, { responseBytesMax }: MirrorPlan): Kept {
  const { responses, compress, segment, disk, directory } = recording;
  return {
    sink: {
      kind: 'file',
      name: to,
      directory,
      responses,
      compress,
      segmentBytes: segment.size,
      segmentMs: segment.age,
      diskBytesMax: disk,
    },
    capture: responses ? wholeResponses(responseBytesMax) : null,
    compare: responses ? pairsAlone : nothingCompared,
  };
}

function compileStreamSink({ to, stream }: MirrorConfig, { responseBytesMax }: MirrorPlan): Kept {
  const { primary, outstanding, timeout, retention, size, age, replicas } = stream;
  const address = parseStreamAddress(to) as NatsSubject;
  return {
    sink: {
      kind: 'stream',
      name: streamName(address),
      ...address,
      primary,
      outstandingMax: outstanding,
      timeoutMs: timeout,
      retention,
      bytesMax: size,
      ageMsMax: age ?? 0,
      replicas,
    },
    capture: primary === 'response' ? wholeResponses(responseBytesMax) : null,
    compare: { ...pairsAlone, digest: primary !== 'outcome' },
  };
}

/** `wholeResponses` sends every response of the primary to the sink. */
function wholeResponses(bodyBytesMax: number): CapturePlan {
  return { shareMillionths: shareMillionthsAll, bodyBytesMax };
}
