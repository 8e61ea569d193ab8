/** A checked mirror whose copies go to a sink to its part of the plan. */
import { limits } from '../core/limits.js';
import { type CapturePlan, type MirrorPlan, nothingCompared, pairsAlone } from '../core/plan.js';
import { type NatsSubject, parseStreamAddress, streamName } from './nats-address.js';
import type { MirrorConfig } from './schema.js';
import { kindOfTarget } from './sink-target.js';
import { shareMillionthsAll } from './units.js';

/** `check-sink.ts` has seen to it that nothing is set that a sink has not. */
export function compileSink(mirror: MirrorConfig, plan: MirrorPlan): MirrorPlan {
  return {
    ...plan,
    ...(kindOfTarget(mirror.to) === 'file' ? compileFileSink(mirror, plan) : compileStreamSink(mirror, plan)),
    // What is kept is what the client asked; and only its bytes are counted, for each waits until it is
    // written or acknowledged.
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

/** Every response of the primary travels to the sink. */
function wholeResponses(bodyBytesMax: number): CapturePlan {
  return { shareMillionths: shareMillionthsAll, bodyBytesMax };
}
