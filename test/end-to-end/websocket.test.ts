// Runs over both engines.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { limits } from '../../core/limits.js';
import { behaviour } from '../support/engines.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess } from '../support/umbra.js';

const tooLong = Buffer.alloc(limits.webSocketMessageBytes + 1);

/** The connection itself, for frames that `ws` does not make. */
function bytesOf(webSocket: WebSocket): Socket {
  return (webSocket as unknown as { readonly _socket: Socket })._socket;
}

/** A real WebSocket server that says back what it hears, and does what some words ask for. */
class Chat {
  readonly server: WebSocketServer;
  readonly headers: Record<string, unknown>[] = [];
  readonly closes: string[] = [];
  #closed: () => void = () => {};

  private constructor(server: WebSocketServer) {
    this.server = server;
    server.on('headers', (headers: string[]) => headers.push('Set-Cookie: chat=1', 'X-Chat: yes'));
    server.on('connection', (socket, request) => {
      this.headers.push(request.headers);
      socket.on('message', (data: Buffer, isBinary) => {
        const text = isBinary ? '' : data.toString();
        if (text.startsWith('close ')) socket.close(Number(text.slice(6)), 'as you wish');
        else if (text === 'close') socket.close();
        else if (text === 'die') socket.terminate();
        else if (text === 'too long') socket.send(tooLong);
        else if (text === 'not UTF-8') bytesOf(socket).write(Buffer.from([0x81, 1, 0xff]));
        else if (text === 'ping') socket.ping('are you there');
        else socket.send(data, { binary: isBinary });
      });
      socket.on('pong', (data) => socket.send(`pong ${data}`));
      socket.on('error', () => {});
      socket.on('close', (code, reason) => {
        this.closes.push(`${code} ${reason}`.trim());
        this.#closed();
      });
    });
  }

  static async listen(): Promise<Chat> {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: (offered) => (offered.has('v2.chat') ? 'v2.chat' : false),
      verifyClient: (info: { req: { url?: string | undefined } }) => !info.req.url!.startsWith('/forbidden'),
    });
    await once(server, 'listening');
    return new Chat(server);
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  /** Waits until no connection of an earlier test is open, and returns how many were closed. */
  async atRest(): Promise<number> {
    while (this.server.clients.size > 0) await new Promise<void>((resolve) => (this.#closed = resolve));
    return this.closes.length;
  }

  async untilClosed(count: number): Promise<string[]> {
    while (this.closes.length < count) await new Promise<void>((resolve) => (this.#closed = resolve));
    return this.closes;
  }

  close(): void {
    for (const client of this.server.clients) client.terminate();
    this.server.close();
  }
}

const chat = await Chat.listen();
const shadow = await RawServer.listen(() => {});
const umbra = await UmbraProcess.start(
  // The shadow never answers what a test sends that is not an upgrade.
  reviews(chat.port, shadow.port, { mirror: { timeout: '200ms' }, umbra: { threads: twoProxies } }),
);
t.teardown(async () => {
  await umbra.stop();
  chat.close();
  await shadow.close();
});

const address = `${umbra.url.replace('http', 'ws')}/room?q=1`;

async function open(url = address, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(url, protocols);
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

async function said(socket: WebSocket): Promise<Buffer> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data;
}

async function closed(socket: WebSocket): Promise<string> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return `${code} ${reason}`.trim();
}

t.test('text, binary, fragments and large messages pass both ways', async (t) => {
  const socket = await open();
  socket.send('grüße');
  t.equal((await said(socket)).toString(), 'grüße');
  socket.send(Buffer.from([0, 255, 128]));
  t.same([...(await said(socket))], [0, 255, 128]);
  socket.send('in ', { fin: false });
  socket.send('two', { fin: true });
  t.equal((await said(socket)).toString(), 'in two');
  const large = Buffer.alloc(4 * 1024 * 1024, 'umbra');
  socket.send(large);
  t.ok((await said(socket)).equals(large));
  socket.send('');
  t.equal((await said(socket)).length, 0);
  socket.close();
  await closed(socket);
});

t.test('the handshake reaches the primary and its answer the client', async (t) => {
  const upgraded = new WebSocket(address, ['v1.chat', 'v2.chat']);
  const [response] = await once(upgraded, 'upgrade');
  t.equal(response.headers['x-chat'], 'yes');
  t.strictSame(response.headers['set-cookie'], ['chat=1']);
  if (upgraded.readyState !== WebSocket.OPEN) await once(upgraded, 'open');
  t.equal(upgraded.protocol, 'v2.chat');
  t.equal(upgraded.extensions, '', 'no extension is agreed on');
  const headers = chat.headers.at(-1)!;
  if (behaviour.tunnelsBytes) t.match(headers['sec-websocket-extensions'], /^permessage-deflate/);
  else t.equal(headers['sec-websocket-extensions'], undefined);
  t.equal(headers.upgrade, 'websocket');
  t.equal(headers['sec-websocket-version'], '13');
  upgraded.close();
  await closed(upgraded);
});

t.test('close codes and reasons pass both ways, and none stays none', async (t) => {
  const before = await chat.atRest();
  for (const [word, answer] of [
    ['close 4000', '4000 as you wish'],
    ['close 1011', '1011 as you wish'],
    ['close', '1005'],
  ]) {
    const socket = await open();
    socket.send(word!);
    t.equal(await closed(socket), answer);
  }
  const coded = await open();
  coded.close(4321, 'enough');
  t.equal(await closed(coded), '4321 enough');
  const wordless = await open();
  wordless.close();
  await closed(wordless);
  // Two threads serve them, so the server may see the last two in either order.
  t.same(new Set((await chat.untilClosed(before + 5)).slice(-2)), new Set(['4321 enough', '1005']));
});

t.test('a side that breaks breaks the other', async (t) => {
  const before = await chat.atRest();
  const orphan = await open();
  orphan.send('die');
  t.equal(await closed(orphan), '1006');
  const gone = await open();
  gone.terminate();
  t.strictSame((await chat.untilClosed(before + 2)).slice(-1), ['1006']);
});

t.test(
  'a message that is too long, or text that is not UTF-8, closes both sides with a code that says so',
  { skip: behaviour.tunnelsBytes && 'bytes pass as they are, and the two ends decide' },
  async (t) => {
    const before = await chat.atRest();
    const cases: [(socket: WebSocket) => void, client: string, primary: string][] = [
      [(socket) => socket.send('too long'), '1009', '1009'],
      [(socket) => socket.send(tooLong), '1009', '1009'],
      [(socket) => socket.send('not UTF-8'), '1007', '1007'],
      // uWS itself closes the client's side, without a close frame.
      [(socket) => bytesOf(socket).write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])), '1006', '1007'],
    ];
    for (const [index, [breaks, client, primary]] of cases.entries()) {
      const socket = await open();
      breaks(socket);
      t.equal(await closed(socket), client);
      t.equal((await chat.untilClosed(before + index + 1)).at(-1), primary);
    }
  },
);

t.test('pings are answered on both sides', async (t) => {
  const socket = await open();
  socket.ping('x');
  t.equal(String((await once(socket, 'pong'))[0]), 'x');
  socket.send('ping');
  t.equal((await said(socket)).toString(), 'pong are you there');
  socket.close();
  await closed(socket);
});

t.test('a handshake that the primary refuses is its own answer', async (t) => {
  const socket = new WebSocket(`${umbra.url.replace('http', 'ws')}/forbidden`);
  socket.on('error', () => {});
  const [, response] = await once(socket, 'unexpected-response');
  t.equal(response.statusCode, 401);
  response.resume();
  await once(response, 'end');
});

/** Sends `text`; resolves with what came until the server closed or `mark` was in it. */
async function raw(text: string, mark: string): Promise<{ socket: Socket; answer: string }> {
  const socket = connect(umbra.port, umbra.host);
  socket.write(text, 'latin1');
  let answer = '';
  for await (const piece of socket) {
    answer += piece.toString('latin1');
    if (answer.includes(mark)) break;
  }
  return { socket, answer };
}

t.test('half a handshake is an ordinary request', async (t) => {
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
  for (const [name, fields] of [
    ['Connection does not name it', `Upgrade: websocket\r\n${key}`],
    ['another protocol', `Connection: Upgrade\r\nUpgrade: h2c\r\n${key}`],
    ['no key', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
  ]) {
    // A tunnel of bytes is whatever the primary makes of it: of a handshake that it refuses, an ordinary
    // response.
    const status = behaviour.tunnelsBytes && !name.startsWith('Connection') ? 4 : 426;
    const { answer } = await raw(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`, '\r\n\r\n');
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status}`), name);
  }
});

t.test('an upgrade is counted: open, over, and as dropped by the mirror', async (t) => {
  const { eligible } = (await umbra.atRest()).mirrors[0]!;
  const before = shadow.connections;
  const socket = await open();
  const metrics = await umbra.metrics();
  const sum = (name: string): number =>
    [...metrics.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'gm'))].reduce(
      (all, [, n]) => all + Number(n),
      0,
    );
  t.equal(sum('umbra_downstream_tunnels'), 1);
  t.ok(sum('umbra_downstream_upgrades_total') > 10);
  const stats = await umbra.stats();
  t.equal(stats.mirrors[0]!.eligible, eligible + 1);
  t.ok(stats.mirrors[0]!.dropped.upgrade! > 10);
  t.equal(shadow.connections, before, 'no shadow ever sees one');
  socket.close();
  await closed(socket);
});

t.test('a hundred clients talk at once', async (t) => {
  const sockets = await Promise.all(Array.from({ length: 100 }, () => open()));
  const answers = await Promise.all(
    sockets.map((socket, i) => {
      const answer = said(socket);
      socket.send(`client ${i}`);
      return answer;
    }),
  );
  t.strictSame(
    answers.map(String),
    sockets.map((_, i) => `client ${i}`),
  );
  await Promise.all(
    sockets.map((socket) => {
      socket.close();
      return closed(socket);
    }),
  );
});

t.test('a client that reads slowly gets all of it in order', async (t) => {
  const socket = await open();
  const got: number[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      got.push(data.readUInt32LE(0));
      if (got.length === 200) resolve();
    });
  });
  socket.pause();
  for (let i = 0; i < 200; i++) {
    const message = Buffer.alloc(64 * 1024);
    message.writeUInt32LE(i);
    socket.send(message);
  }
  socket.resume();
  await all;
  t.strictSame(
    got,
    Array.from({ length: 200 }, (_, i) => i),
  );
  socket.close();
  await closed(socket);
});

// docs/decisions/015: what happened to a few of 10,000 handshakes on a busy machine.
t.test('hundreds that open and close beside one that stays are closed by nobody but v1', async (t) => {
  const stays = await open();
  const answers = new Map<string, number>();
  const one = async (): Promise<void> => {
    const socket = await open();
    socket.send('close 4000');
    const answer = await closed(socket);
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  };
  const [clients, rounds] = [16, 25];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let round = 0; round < rounds; round++) await one();
    }),
  );
  t.strictSame([...answers], [['4000 as you wish', clients * rounds]]);
  stays.close();
  await closed(stays);
});

t.test('the first ones of a process are closed by nobody but v1', async (t) => {
  for (let process = 0; process < 3; process++) {
    const own = await UmbraProcess.start(reviews(chat.port, null));
    const url = own.url.replace('http', 'ws');
    for (let i = 0; i < 20; i++) {
      const socket = await open(url);
      socket.send('close 4000');
      t.equal(await closed(socket), '4000 as you wish');
    }
    t.notMatch(own.err, /corked/, 'uWS does not complain');
    await own.stop();
  }
});

t.test('a stop closes both sides with 1001 and ends in order', async (t) => {
  // What runs through a tunnel of bytes is cut: nobody can say a word in it.
  const code = behaviour.tunnelsBytes ? '1006' : '1001';
  const own = await UmbraProcess.start(reviews(chat.port, null));
  const before = await chat.atRest();
  const socket = await open(own.url.replace('http', 'ws'));
  own.signal('SIGTERM');
  t.equal(await closed(socket), code);
  t.equal((await own.ended).code, 0);
  t.strictSame((await chat.untilClosed(before + 1)).slice(-1), [code]);
});
