/** A key-value bucket of JetStream, opened, made where that is wanted, and read whole. */
import type { KV, KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';

/** JetStream's own words for a stream that is not there, and for a server without JetStream. */
const noStream = 10_059;

/** Null where there is no such bucket. Rejects where JetStream does not answer. */
export async function openBucket(connection: NatsConnection, name: string): Promise<KV | null> {
  const { Kvm } = await import('@nats-io/kv');
  try {
    const bucket = await new Kvm(connection).open(name);
    await bucket.status();
    return bucket;
  } catch (error) {
    if ((error as { code?: unknown }).code === noStream) return null;
    throw error;
  }
}

/** The one that is there, however it was made; else a new one whose entries go after `ttlMs`. */
export async function openOrMakeBucket(connection: NatsConnection, name: string, ttlMs: number): Promise<KV> {
  const found = await openBucket(connection, name);
  if (found !== null) return found;
  const { Kvm } = await import('@nats-io/kv');
  const description = 'snapshots of umbra instances';
  return new Kvm(connection).create(name, { history: 1, ttl: ttlMs, description });
}

/** Values that are asked for at once. */
const askedAtOnce = 32;

/**
 * The last value of every key that begins with `under`, at most `max` of them and about `bytesMax`; what was
 * deleted is left out. Key by key: the client's `history` waits for as many values as there were when it
 * began, and for ever where one of them is replaced meanwhile, which every snapshot is.
 */
export async function readBucket(
  connection: NatsConnection,
  bucket: KV,
  name: string,
  max: number,
  bytesMax: number,
  under = '',
): Promise<{ readonly entries: KvEntry[]; readonly leftOut: number }> {
  const { jetstreamManager } = await import('@nats-io/jetstream');
  const prefix = `$KV.${name}.`;
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(`KV_${name}`, { subjects_filter: `${prefix}${under}>` });
  const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length));
  const entries: KvEntry[] = [];
  let bytes = 0;
  let asked = 0;
  while (asked < Math.min(keys.length, max) && bytes < bytesMax) {
    const some = keys.slice(asked, Math.min(asked + askedAtOnce, max));
    asked += some.length;
    for (const entry of await Promise.all(some.map((key) => bucket.get(key)))) {
      if (entry?.operation !== 'PUT') continue;
      entries.push(entry);
      bytes += entry.value.length;
    }
  }
  return { entries, leftOut: keys.length - asked };
}

/** `forgetKeys` removes keys without a trace, where a deletion would leave an entry that says so. */
export async function forgetKeys(
  connection: NatsConnection,
  name: string,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  const { jetstreamManager } = await import('@nats-io/jetstream');
  const manager = await jetstreamManager(connection);
  for (const key of keys) await manager.streams.purge(`KV_${name}`, { filter: `$KV.${name}.${key}` });
}
