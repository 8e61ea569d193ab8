/** Where copies are kept instead of being sent to a shadow (core/sink). */
import type { NatsPlace } from './place.js';

/** Where copies are kept instead of being sent to a shadow (core/sink). */
export type SinkPlan = FileSinkPlan | StreamSinkPlan;

/** A directory of WARC files that copies are written to (core/recording). */
export interface FileSinkPlan {
  readonly kind: 'file';
  /**
   * The address as configured, `file:./recordings`: what stands in metrics and commands in the place of a
   * version.
   */
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** The primary's responses are recorded too, up to the mirror's `responseBytesMax` of each body. */
  readonly responses: boolean;
  /** Each record is a gzip member, compressed or only wrapped. */
  readonly compress: boolean;
  /** A segment is closed at this size or age, whichever comes first. */
  readonly segmentBytes: number;
  readonly segmentMs: number;
  /** Most bytes of all segments in the directory; the oldest are deleted first. */
  readonly diskBytesMax: number;
}

/** A stream of JetStream to which each copy is published as one message (core/stream). */
export interface StreamSinkPlan {
  readonly kind: 'stream';
  /** The address as configured, `nats://host:4222/umbra.reviews`, without credentials. */
  readonly name: string;
  readonly nats: NatsPlace;
  /** What messages are published to. The stream that has it is used as it is, else one is made. */
  readonly subject: string;
  /**
   * What a message contains of the primary's answer; all of it means each body up to the mirror's
   * `responseBytesMax`.
   */
  readonly primary: 'outcome' | 'digest' | 'response';
  /** Messages that may wait for their acknowledgement. */
  readonly outstandingMax: number;
  /** How long one may wait, over all connections. */
  readonly timeoutMs: number;
  /** Retention of a stream that umbra creates. */
  readonly retention: 'workqueue' | 'limits';
  readonly bytesMax: number;
  /** 0: any. */
  readonly ageMsMax: number;
  readonly replicas: number;
}
