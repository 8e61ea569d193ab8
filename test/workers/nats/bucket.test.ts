import { openOrMakeBucket, readBucket } from '../../../workers/nats/bucket.js';
import { NatsServer, noNats } from '../../support/nats.js';
import t from '../../support/tap.js';

t.test('a bucket is read up to so many values, and up to so many bytes', { skip: noNats }, async (t) => {
  const nats = await NatsServer.start();
  t.teardown(() => nats.stop());
  const connection = await nats.connect();
  t.teardown(() => connection.close());
  const bucket = await openOrMakeBucket(connection, 'b', 60_000);
  const count = 100;
  for (let i = 0; i < count; i++) await bucket.put(`k${i}`, Buffer.alloc(1000));
  const read = async (max: number, bytesMax: number): Promise<readonly number[]> => {
    const { entries, leftOut } = await readBucket(connection, bucket, 'b', max, bytesMax);
    return [entries.length, leftOut];
  };
  t.strictSame(await read(1000, 1e9), [count, 0]);
  t.strictSame(await read(10, 1e9), [10, 90]);
  const [taken, leftOut] = await read(1000, 10_000);
  t.equal(taken + leftOut, count);
  t.ok(
    taken >= 10 && taken < count,
    `${taken} values are 10,000 bytes and some that were asked for with them`,
  );
  t.strictSame(await read(1000, 0), [0, count]);
});
