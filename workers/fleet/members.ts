/** What a command reads of a fleet: the last word of every process that is or lately was one of it. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { formatFleetAddress, type NatsBucket } from '../../config/nats-address.js';
import { wallClockMs } from '../../core/clock.js';
import { decodeMember } from '../../core/fleet/member.js';
import type { SeenMember } from '../../core/fleet/roll-call.js';
import { limits } from '../../core/limits.js';
import { openBucket, readBucket } from '../nats/bucket.js';
import { connectNats, natsReason } from '../nats/connect.js';

const decompress = promisify(gunzip);

export interface Fleet {
  /** By name. */
  readonly members: readonly SeenMember[];
  /** What could not be read. */
  readonly notes: readonly string[];
}

export class FleetReader {
  readonly #connection: NatsConnection;
  readonly #place: NatsBucket;

  private constructor(connection: NatsConnection, place: NatsBucket) {
    this.#connection = connection;
    this.#place = place;
  }

  static async open(place: NatsBucket): Promise<FleetReader> {
    return new FleetReader(await connectNats(place.nats, process.env), place);
  }

  /** Rejects with an Error of one line where NATS does not answer, or nobody is there. */
  async read(): Promise<Fleet> {
    const address = formatFleetAddress({ ...this.#place, nats: { ...this.#place.nats, user: null } });
    let entries: KvEntry[] = [];
    let leftOut = 0;
    try {
      const bucket = await openBucket(this.#connection, this.#place.bucket);
      const { bucket: name } = this.#place;
      if (bucket !== null)
        ({ entries, leftOut } = await readBucket(
          this.#connection,
          bucket,
          name,
          limits.fleetMembers,
          limits.fleetPackedBytes,
        ));
    } catch (error) {
      throw new Error(`${address} can't be read: ${natsReason(error)}`);
    }
    const members: SeenMember[] = [];
    const notes: string[] = [];
    let bytesLeft: number = limits.fleetBytes;
    for (const entry of entries) {
      if (bytesLeft <= 0) {
        leftOut++;
        continue;
      }
      try {
        const bytes = await decompress(entry.value, { maxOutputLength: limits.fleetSnapshotBytes });
        bytesLeft -= bytes.length;
        const member = decodeMember(JSON.parse(bytes.toString('utf8')));
        members.push({ ...member, ageMs: Math.max(0, wallClockMs() - entry.created.getTime()) });
      } catch (error) {
        notes.push(`${entry.key} is left out: ${(error as Error).message}`);
      }
    }
    if (leftOut > 0)
      notes.push(`${leftOut} snapshots are left out, because there are too many or too large ones`);
    if (members.length === 0) throw new Error([`no instance publishes to ${address}`, ...notes].join('; '));
    return { members: members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)), notes };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
