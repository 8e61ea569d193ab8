// Runs over one engine: copies are put in order behind the engines, by what the head says.
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type Answer, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const clients = 20;
const rounds = 6;
/** How long the shadow delays a write where reads wait for it. */
const delayMs = 10;

/** A store of one value for each client: `PUT /N?to=VALUE`, `GET /N`. It keeps what each client asked. */
class Store {
  readonly asked: string[][] = Array.from({ length: clients }, () => []);
  readonly #values: string[] = Array.from({ length: clients }, () => '');
  /** Writes that were not applied yet, by client. */
  readonly #delayed: (() => void)[][] = Array.from({ length: clients }, () => []);
  readonly #reads: number[] = Array.from({ length: clients }, () => 0);
  readonly #delays: 'never' | 'for a time' | 'until the next read';

  constructor(delays: 'never' | 'for a time' | 'until the next read') {
    this.#delays = delays;
  }

  readonly answer: Answer = ({ method, target }, response) => {
    const [path, value] = target.slice(1).split('?to=');
    const client = Number(path);
    this.asked[client].push(`${method} ${value ?? ''}`);
    const reply = (text: string): void => {
      response.setHeader('content-length', text.length);
      response.end(text);
    };
    if (method === 'GET') {
      this.#reads[client]++;
      reply(this.#values[client]);
      for (const apply of this.#delayed[client].splice(0)) apply();
      return;
    }
    const apply = (): void => {
      // Values differ in length, so that a stale read differs in size.
      this.#values[client] = 'x'.repeat(Number(value));
      reply('ok');
    };
    if (this.#delays === 'never') apply();
    else if (this.#delays === 'for a time') setTimeout(apply, delayMs);
    // The read that follows a write may have come before it already.
    else if (this.#reads[client] >= Number(value)) apply();
    else this.#delayed[client].push(apply);
  };
}

/** Each client writes and reads alternately: on a new connection, once the request before was answered. */
async function readsAfterWrites(port: number): Promise<void> {
  const client = async (number: number): Promise<void> => {
    const headers = { 'x-forwarded-for': `10.0.0.${number}`, 'x-user': `user-${number}` };
    for (let round = 1; round <= rounds; round++) {
      await ask(port, { method: 'PUT', target: `/${number}?to=${round}`, headers });
      await ask(port, { target: `/${number}`, headers });
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
}

async function mirrored(order: string, shadow: Store): Promise<[Store, Origin, Origin, UmbraProcess]> {
  const primary = new Store('never');
  const [v1, v2] = await Promise.all([Origin.listen(primary.answer), Origin.listen(shadow.answer)]);
  const config = reviews(v1.port, v2.port, {
    mirror: { order },
    umbra: { threads: { proxy: 2, shadow: 2 } },
  });
  const listen = (config.listen as object[]).map((one) => ({ ...one, trusted: ['127.0.0.0/8'] }));
  const umbra = await UmbraProcess.start({ ...config, listen });
  return [primary, v1, v2, umbra];
}

for (const order of ['client', 'header:x-user']) {
  t.test(
    `with order ${order} no copy overtakes another one of its client, and no read differs`,
    async (t) => {
      const shadow = new Store('for a time');
      const [primary, v1, v2, umbra] = await mirrored(order, shadow);
      await readsAfterWrites(umbra.port);
      const { eligible, completed, compare } = mirrorTo(await lawHolds(t, umbra), 'v2');
      t.strictSame([eligible, completed], [clients * rounds * 2, clients * rounds * 2]);
      t.equal(compare.different, 0);
      t.strictSame(shadow.asked, primary.asked);
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
    },
  );
}

t.test('with order off a read overtakes a write that the shadow delays, and differs', async (t) => {
  const shadow = new Store('until the next read');
  const [, v1, v2, umbra] = await mirrored('off', shadow);
  await readsAfterWrites(umbra.port);
  const { completed, compare } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.equal(completed, clients * rounds * 2);
  t.ok(compare.different >= clients, `${compare.different} pairs differ`);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});
