import type { RawClient } from '../support/client.js';

/** A response as a client that knows RFC 9112 reads it. */
export interface Answer {
  /** 0: there was none. */
  readonly status: number;
  /** Status of the final response. */
  readonly head: string;
  /** All of it came that was announced. */
  readonly whole: boolean;
}

/** Reads the first final response on the connection, or what there is of it when the connection ends. */
export async function readAnswer(client: RawClient, method: string): Promise<Answer> {
  let from = 0;
  for (;;) {
    const end = await indexOf(client, '\r\n\r\n', from);
    if (end < 0) return { status: 0, head: client.received.slice(from), whole: false };
    const head = client.received.slice(from, end + 2);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0);
    from = end + 4;
    if (status >= 100 && status < 200 && status !== 101) continue;
    return { status, head, whole: await isWhole(client, method, status, head, from) };
  }
}

async function isWhole(
  client: RawClient,
  method: string,
  status: number,
  head: string,
  from: number,
): Promise<boolean> {
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return true;
  const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
  if (length !== undefined) return came(client, from + Number(length));
  if (/^transfer-encoding: chunked\r$/im.test(head)) {
    for (let at = from; ; ) {
      const line = await indexOf(client, '\r\n', at);
      if (line < 0) return false;
      const size = Number.parseInt(client.received.slice(at, line), 16);
      if (size === 0) return (await indexOf(client, '\r\n', line + 2)) >= 0;
      at = line + 2 + size + 2;
      if (!(await came(client, at))) return false;
    }
  }
  await client.end();
  return !client.failed;
}

async function indexOf(client: RawClient, mark: string, from: number): Promise<number> {
  for (;;) {
    const at = client.received.indexOf(mark, from);
    if (at >= 0 || client.closed) return at;
    await client.more();
  }
}

async function came(client: RawClient, bytes: number): Promise<boolean> {
  while (client.received.length < bytes && !client.closed) await client.more();
  return client.received.length >= bytes;
}
