/** A stream of JetStream, found by what is published to it, and made where that is wanted. */
import type { NatsConnection } from '@nats-io/transport-node';
import type { StreamSinkPlan } from '../../core/plan.js';

/**
 * Within so long the server knows a message that is published once more. Longer than `stream.timeout` can be.
 */
const duplicateMs = 120_000;
/** JetStream's own word for a stream that was made by somebody else just now. */
const streamNameInUse = 10_058;

/** Null where no stream has the subject. Rejects where JetStream does not answer. */
export async function findStream(connection: NatsConnection, subject: string): Promise<string | null> {
  const { jetstreamManager } = await import('@nats-io/jetstream');
  const manager = await jetstreamManager(connection);
  const { value } = await manager.streams.names(subject)[Symbol.asyncIterator]().next();
  return (value as string | undefined) ?? null;
}

export interface StreamState {
  /**
   * Messages of the subject that the slowest group has not acknowledged. A work queue is one itself; of a
   * stream that keeps all, null while there is no group.
   */
  readonly lag: number | null;
  /** Bytes for which the stream has room by its own limits; 0 where it takes no more messages. */
  readonly room: number;
}

/** Rejects where JetStream does not answer, or refuses to. */
export async function stateOf(
  connection: NatsConnection,
  stream: string,
  subject: string,
): Promise<StreamState> {
  const { jetstreamManager, RetentionPolicy } = await import('@nats-io/jetstream');
  const { consumers, streams } = await jetstreamManager(connection);
  const { config, state } = await streams.info(stream, { subjects_filter: subject });
  const hasPlace = config.max_msgs < 0 || state.messages < config.max_msgs;
  const bytesMax = config.max_bytes < 0 ? Number.POSITIVE_INFINITY : config.max_bytes;
  const room = hasPlace ? Math.max(0, bytesMax - state.bytes) : 0;
  if (config.retention === RetentionPolicy.Workqueue) return { lag: state.subjects?.[subject] ?? 0, room };
  let lag: number | null = null;
  for await (const group of consumers.list(stream)) {
    if (group.config.filter_subject !== subject) continue;
    lag = Math.max(lag ?? 0, group.num_pending + group.num_ack_pending);
  }
  return { lag, room };
}

export type StreamSettings = Pick<
  StreamSinkPlan,
  'subject' | 'retention' | 'bytesMax' | 'ageMsMax' | 'replicas'
>;

/** The name of the stream that has the subject: one that is there is used as it is. */
export async function openOrMakeStream(
  connection: NatsConnection,
  settings: StreamSettings,
): Promise<string> {
  const { subject } = settings;
  const found = await findStream(connection, subject);
  if (found !== null) return found;
  const { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } = await import(
    '@nats-io/jetstream'
  );
  const { nanos } = await import('@nats-io/transport-node');
  const manager = await jetstreamManager(connection);
  const name = subject.replaceAll('.', '-');
  try {
    await manager.streams.add({
      name,
      subjects: [subject],
      description: 'requests mirrored by umbra',
      retention: settings.retention === 'limits' ? RetentionPolicy.Limits : RetentionPolicy.Workqueue,
      // What is full says so: nothing that was acknowledged makes room for what comes.
      discard: DiscardPolicy.New,
      storage: StorageType.File,
      max_bytes: settings.bytesMax,
      max_age: nanos(settings.ageMsMax),
      num_replicas: settings.replicas,
      duplicate_window: nanos(
        settings.ageMsMax === 0 ? duplicateMs : Math.min(duplicateMs, settings.ageMsMax),
      ),
    });
  } catch (error) {
    if ((error as { code?: unknown }).code !== streamNameInUse) throw error;
    // Another instance made it, or it has other subjects.
    if ((await findStream(connection, subject)) === null)
      throw new Error(`there is a stream ${name} already, and it does not take ${subject}`);
  }
  return name;
}
