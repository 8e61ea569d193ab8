import { createHash, randomBytes } from 'node:crypto';
import { Framing } from '../../../../core/http/message.js';
import { limits } from '../../../../core/limits.js';
import t, { type Test } from '../../../support/tap.js';
import { type Client, get, head, host, ofChunks, ofLength, Rig, reply, type Seen, skipWord } from './rig.js';

const options = { skip: skipWord };
const MEGABYTE = 1024 * 1024;

async function serve(t: Test, onSeen: (seen: Seen) => void): Promise<{ rig: Rig; client: Client }> {
  const rig = await Rig.start(onSeen);
  const client = rig.connect();
  t.teardown(async () => {
    client.destroy();
    await rig.stop();
    if (rig.downstream.active() !== 0) throw new Error(`${rig.downstream.active()} requests are left over`);
    if (rig.counts.accepted !== rig.counts.closed) throw new Error('a connection is left over');
  });
  return { rig, client };
}

t.test('a head is passed on byte for byte, with a Date and the body framed here', options, async (t) => {
  const { client } = await serve(t, ({ responder }) =>
    reply(responder, 'hello', '404 Not\xe9Here\r\nX-A: \xff\r\nx-a: 2'),
  );
  client.send(get);
  const received = await client.answer();
  t.equal(received.status, 404);
  t.match(received.fields, /^X-A: \xff\r\nx-a: 2\r\nDate: [^\r]+\r\nContent-Length: 5$/);
  t.equal(received.body, 'hello');
});

t.test('a body of known length goes out in pieces', options, async (t) => {
  const { client } = await serve(t, ({ responder }) => {
    responder.sendHead(ofLength(6));
    t.ok(responder.sendBody(Buffer.from('ab')));
    setImmediate(() => {
      t.ok(responder.sendBody(Buffer.alloc(0)));
      responder.sendBody(Buffer.from('cd'));
      setImmediate(() => {
        responder.sendBody(Buffer.from('ef'));
        setImmediate(() => responder.finish());
      });
    });
  });
  client.send(get);
  t.equal((await client.answer()).body, 'abcdef');
  client.send(get);
  t.equal((await client.answer()).body, 'abcdef');
});

t.test('a body of unknown length goes out in chunks', options, async (t) => {
  const { client } = await serve(t, ({ responder }) => {
    responder.sendHead(ofChunks('200 OK\r\nX: y'));
    responder.sendBody(Buffer.from('ab'));
    setImmediate(() =>
      responder.batch(() => {
        responder.sendBody(Buffer.from('cd'));
        responder.sendBody(Buffer.alloc(0));
        responder.finish();
      }),
    );
  });
  client.send(get);
  const received = await client.answer();
  t.match(received, { body: 'abcd', fields: /Transfer-Encoding: chunked/ });
  t.notMatch(received.fields, /content-length/i);
  client.send(get);
  t.equal((await client.answer()).body, 'abcd');
});

t.test('an empty body is a length of zero', options, async (t) => {
  const { client } = await serve(t, ({ target, responder }) => {
    responder.sendHead(target === '/length' ? ofLength(0) : ofChunks());
    responder.finish();
  });
  for (const target of ['/length', '/chunks']) {
    client.send(`GET ${target} HTTP/1.1\r\n${host}\r\n`);
    t.match(await client.answer(), { status: 200, fields: /Content-Length: 0$/, body: '' });
  }
});

t.test('HEAD, 204 and 304 have no body, and a length only where one was said', options, async (t) => {
  const { client } = await serve(t, ({ target, responder }) => {
    if (target === '/204') responder.sendHead(head('204 No Content'));
    else if (target === '/304') responder.sendHead(head('304 Not Modified\r\nETag: "a"', Framing.NONE, 12));
    else if (target === '/0') responder.sendHead(head('200 OK', Framing.NONE, 0));
    else if (target === '/n') responder.sendHead(head('200 OK', Framing.NONE, 77));
    else responder.sendHead(head('200 OK'));
    responder.finish();
  });
  const expected = new Map([
    ['/204', null],
    ['/304', '12'],
    ['/0', '0'],
    ['/n', '77'],
    ['/none', null],
  ]);
  for (const [target, length] of expected) {
    client.send(`HEAD ${target} HTTP/1.1\r\n${host}\r\n`);
    const { fields } = await client.answer(true);
    t.equal(/content-length: (.*)/i.exec(fields)?.[1] ?? null, length, target);
    t.notMatch(fields, /transfer-encoding/i);
    t.equal(client.received, '', 'nothing follows');
  }
});

t.test('answers of our own carry text, and none to HEAD', options, async (t) => {
  const { client } = await serve(t, ({ responder, target }) => {
    if (target === '/now') responder.answer(503, 'no endpoint\n');
    else setImmediate(() => responder.answer(504, 'late\n'));
  });
  client.send(`GET /now HTTP/1.1\r\n${host}\r\n`);
  t.match(await client.answer(), {
    status: 503,
    fields: /^Content-Type: text\/plain; charset=utf-8\r\nDate: [^\r]*\r\nContent-Length: 12$/,
    body: 'no endpoint\n',
  });
  client.send(`HEAD /now HTTP/1.1\r\n${host}\r\n`);
  t.match(await client.answer(true), { status: 503, fields: /Content-Length: 12$/ });
  client.send(`GET /later HTTP/1.1\r\n${host}\r\n`);
  t.match(await client.answer(), { status: 504, body: 'late\n' });
  t.equal(client.received, '');
});

t.test('interim heads go out before the final one, whatever that is', options, async (t) => {
  const { client } = await serve(t, ({ target, responder }) => {
    responder.sendInterim(head('100 Continue'));
    responder.sendInterim(head('102 Processing'));
    setImmediate(() => {
      responder.sendInterim(head('103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: \t<b:c>'));
      responder.sendInterim(head('103 Early Hints'));
      setImmediate(() => {
        if (target === '/answer') responder.answer(502, 'bad\n');
        else if (target === '/plain') reply(responder, 'x');
        else reply(responder, 'x', '200 OK\r\nA: b\r\nC:d: e');
      });
    });
  });
  for (const [target, status, fields] of [
    ['/fields', 200, /^A: b\r\nC: d: e\r\nDate: /],
    ['/plain', 200, /^Connection: keep-alive\r\nDate: /],
    ['/answer', 502, /^Content-Type: text/],
  ] as const) {
    client.send(`GET ${target} HTTP/1.1\r\n${host}\r\n`);
    t.match(await client.answer(), { status: 102, fields: '' });
    t.match(await client.answer(), { status: 103, fields: 'Link: </a>; rel=preload\r\nLink: <b:c>' });
    t.match(await client.answer(), { status: 103 });
    t.match(await client.answer(), { status, fields });
  }
});

t.test('a cut response is never passed on as complete', options, async (t) => {
  const { rig } = await serve(t, ({ target, responder }) => {
    responder.sendHead(target === '/length' ? ofLength(100) : ofChunks());
    responder.sendBody(Buffer.from('part'));
    setImmediate(() => (target === '/short' ? responder.finish() : responder.cut()));
  });
  t.match(await rig.exchange(`GET /length HTTP/1.1\r\n${host}\r\n`), /Content-Length: 100\r\n\r\npart$/);
  t.match(await rig.exchange(`GET /chunks HTTP/1.1\r\n${host}\r\n`), /chunked\r\n\r\n4\r\npart$/);
  t.equal(
    rig.seen.reduce((sum, seen) => sum + seen.aborted, 0),
    0,
    'whoever cuts gets no event for it',
  );
});

t.test('cut within a batch, and within a request’s own call, closes', options, async (t) => {
  const { rig } = await serve(t, ({ target, responder }) => {
    const run = (): void => {
      responder.sendHead(ofChunks());
      responder.sendBody(Buffer.alloc(100));
      responder.cut();
    };
    if (target === '/now') run();
    else setImmediate(() => responder.batch(run));
  });
  for (let i = 0; i < 20; i++) {
    t.notMatch(await rig.exchange(`GET /now HTTP/1.1\r\n${host}\r\n`), /0\r\n\r\n$/);
    t.notMatch(
      await rig.exchange(`POST /later HTTP/1.1\r\n${host}Content-Length: 9\r\n\r\nabc`),
      /0\r\n\r\n$/,
    );
  }
  t.equal(rig.downstream.active(), 0);
});

t.test('more bytes than the head announced close the connection', options, async (t) => {
  const { rig } = await serve(t, ({ responder }) => {
    responder.sendHead(ofLength(10));
    responder.sendBody(Buffer.from('12345'));
    t.equal(responder.sendBody(Buffer.from('678901')), false);
  });
  await rig.exchange(get);
  t.equal(rig.seen[0]!.aborted, 1);
});

t.test('an answer in the middle of an upload ends it for the proxy', options, async (t) => {
  const { rig } = await serve(t, (seen) => {
    seen.onPiece = () => seen.responder.answer(413, 'enough\n');
  });
  for (const rest of ['', 'defghi', 'defghijkl']) {
    const client = rig.connect();
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 13\r\n\r\nabc${rest}`);
    t.match(await client.answer(), { status: 413, body: 'enough\n' });
    client.destroy();
  }
  t.same(
    rig.seen.map(({ pieces, aborted }) => [pieces, aborted]),
    new Array(3).fill([1, 0]),
  );
});

t.test('a responder that is over says so instead of answering somebody else', options, async (t) => {
  const { client } = await serve(t, ({ responder }) => {
    responder.answer(200, 'one');
    t.throws(() => responder.answer(200, 'two'), { message: 'the response is over' });
    t.throws(() => responder.finish(), { message: 'the response is over' });
    t.throws(() => responder.sendHead(ofLength(1)), { message: 'the response is over' });
    t.equal(responder.sendBody(Buffer.from('x')), false);
    t.equal(responder.clientAddress(), '');
    responder.pauseBody();
    responder.resumeBody();
    responder.cut();
  });
  client.send(get);
  t.match(await client.answer(), { body: 'one' });
  t.equal(client.received, '');
});

t.test('finish short of the length closes the connection', options, async (t) => {
  const { rig } = await serve(t, ({ responder }) => {
    responder.sendHead(ofLength(100));
    responder.sendBody(Buffer.from('part'));
    setImmediate(() => responder.finish());
  });
  t.match(await rig.exchange(get), /Content-Length: 100\r\n\r\npart$/);
});

t.test('a client that goes away aborts exactly once, at every stage', options, async (t) => {
  const { rig } = await serve(t, (seen) => {
    if (seen.target === '/head') seen.responder.sendHead(ofLength(10));
    if (seen.target === '/part') {
      seen.responder.sendHead(ofChunks());
      seen.responder.sendBody(Buffer.from('part'));
    }
    if (seen.target === '/interim') seen.responder.sendInterim(head('103 Early Hints'));
  });
  const requests = [
    `GET /none HTTP/1.1\r\n${host}\r\n`,
    `GET /head HTTP/1.1\r\n${host}\r\n`,
    `GET /part HTTP/1.1\r\n${host}\r\n`,
    `GET /interim HTTP/1.1\r\n${host}\r\n`,
    `POST /upload HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nabc`,
    `POST /upload HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    `POST /bad HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n`,
  ];
  for (const [index, request] of requests.entries()) {
    const client = rig.connect();
    client.send(request);
    await rig.until(() => rig.seen.length === index + 1);
    client.destroy();
    await rig.until(() => rig.seen[index]!.aborted > 0);
  }
  // A pipelined request while one is pending: the engine closes the connection.
  await rig.exchange(get + get);
  t.same(
    rig.seen.map((seen) => seen.aborted),
    new Array(requests.length + 1).fill(1),
  );
  t.equal(rig.downstream.active(), 0);
});

t.test('an early answer of our own closes, and the rest of the upload is nobody’s', options, async (t) => {
  const { rig, client } = await serve(t, ({ responder }) => responder.answer(413, 'too large\n'));
  client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\n${get}`);
  const answer = await client.answer();
  t.match(answer, { status: 413, fields: /^Connection: close\r\nDate: /, body: 'too large\n' });
  // Closed as soon as the upload is whole.
  client.send('x'.repeat(1000 - get.length));
  t.equal(await client.closed(), '');
  t.match(rig.seen, { length: 1 });
  t.equal(rig.seen[0]!.pieces, 0);
});

t.test('an early response that is here as a whole closes the connection', options, async (t) => {
  for (const body of ['early', '']) {
    const { rig, client } = await serve(t, ({ responder }) =>
      setImmediate(() => reply(responder, body, '403 Forbidden\r\nA: b')),
    );
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\nabc`);
    const answer = await client.answer();
    t.match(answer, { status: 403, fields: /^Connection: close\r\nDate: [^\r]*\r\nA: b\r\n/, body });
    t.equal(await client.closed(), '');
    t.equal(rig.seen[0]!.aborted, 0);
  }
});

t.test(
  'after an early response in pieces the rest of the upload is swallowed and the connection is in order',
  options,
  async (t) => {
    for (const framing of ['length', 'chunks']) {
      const { rig, client } = await serve(t, (seen) => {
        if (seen.framing === Framing.NONE) {
          reply(seen.responder, 'next');
          return;
        }
        setImmediate(() => {
          seen.responder.sendHead(framing === 'length' ? ofLength(4) : ofChunks());
          seen.responder.pauseBody();
          seen.responder.sendBody(Buffer.from('ea'));
          seen.responder.sendBody(Buffer.from('rl'));
          seen.responder.finish();
        });
      });
      client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 8\r\n\r\nabc`);
      t.match(await client.answer(), { fields: /Connection: close/, body: 'earl' });
      t.equal(rig.downstream.active(), 0);
      client.send('de');
      client.send(`fgh${get}`);
      t.match(await client.answer(), { body: 'next' });
      t.equal(rig.seen.length, 2);
      t.match(rig.seen[0], { body: 'abc', aborted: 0 });
    }
  },
);

t.test('a thousand requests one after the other on one connection', options, async (t) => {
  const { rig, client } = await serve(t, (seen) => {
    const answer = `${seen.method} ${seen.target}`;
    if (seen.framing === Framing.NONE) reply(seen.responder, answer);
    else
      seen.onPiece = (_piece, last) => {
        if (!last) return;
        seen.responder.batch(() => {
          seen.responder.sendHead(ofChunks());
          seen.responder.sendBody(Buffer.from(answer + seen.body));
          seen.responder.finish();
        });
      };
  });
  let wrong = 0;
  for (let i = 0; i < 1000; i++) {
    const body = i % 3 === 0 ? null : `body ${i}`;
    if (body === null) client.send(`GET /${i} HTTP/1.1\r\n${host}\r\n`);
    else client.send(`POST /${i} HTTP/1.1\r\n${host}Content-Length: ${body.length}\r\n\r\n${body}`);
    const received = await client.answer();
    if (received.body !== (body === null ? `GET /${i}` : `POST /${i}${body}`)) wrong++;
  }
  t.equal(wrong, 0);
  t.equal(rig.seen.length, 1000);
  t.equal(rig.counts.accepted, 1);
});

for (const framing of ['length', 'chunks'] as const) {
  t.test(
    `64 MB to a reader that stalls and continues, by ${framing}: bounded and byte-exact`,
    options,
    async (t) => {
      const total = 64 * MEGABYTE;
      const piece = randomBytes(64 * 1024);
      const sentHash = createHash('sha256');
      let sent = 0;
      let stalls = 0;
      const pump = (seen: Seen): void => {
        for (;;) {
          if (sent === total) {
            seen.responder.finish();
            return;
          }
          // Another byte order each time, so that a piece that is lost, repeated or moved is seen.
          piece.writeUInt32LE(sent, 0);
          sentHash.update(piece);
          sent += piece.length;
          if (!seen.responder.sendBody(piece)) {
            stalls++;
            return;
          }
        }
      };
      const { rig, client } = await serve(t, (seen) => {
        seen.onRoom = () => seen.responder.batch(() => pump(seen));
        seen.responder.sendHead(framing === 'length' ? ofLength(total) : ofChunks());
        pump(seen);
      });
      const { socket } = client;
      socket.removeAllListeners('data');
      socket.pause();
      client.send(get);
      await rig.until(() => stalls === 1);
      const held = sent;
      // Nothing more is asked for while the reader stands still.
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
      t.ok(sent - held < 8 * MEGABYTE, 'what the kernel takes, and no more');
      const receivedHash = createHash('sha256');
      const reader = new BodyReader(framing === 'chunks', (bytes) => receivedHash.update(bytes));
      socket.on('data', (bytes: Buffer) => reader.take(bytes));
      socket.resume();
      await rig.until(() => reader.bytes === total && rig.downstream.active() === 0);
      t.equal(receivedHash.digest('hex'), sentHash.digest('hex'));
      t.ok(stalls > 1);
    },
  );
}

t.test('a proxy that does not heed the stop is held to the bound, then cut', options, async (t) => {
  for (const framing of ['length', 'chunks']) {
    let sentAfterStop = 0;
    const { rig, client } = await serve(t, (seen) => {
      seen.responder.sendHead(framing === 'length' ? ofLength(1024 * MEGABYTE) : ofChunks());
      const piece = Buffer.alloc(64 * 1024);
      setImmediate(() => {
        while (seen.aborted === 0) {
          if (!seen.responder.sendBody(piece) && seen.aborted === 0) sentAfterStop += piece.length;
        }
      });
    });
    client.socket.pause();
    client.send(get);
    await rig.until(() => rig.seen.length === 1 && rig.seen[0]!.aborted > 0);
    t.equal(rig.seen[0]!.aborted, 1);
    t.ok(sentAfterStop <= limits.downstreamBufferBytes + 64 * 1024, String(sentAfterStop));
  }
});

t.test('finish with bytes still held sends them all', options, async (t) => {
  for (const framing of ['length', 'chunks']) {
    const piece = randomBytes(64 * 1024);
    let total = 0;
    const { rig, client } = await serve(t, (seen) => {
      seen.responder.sendHead(framing === 'length' ? ofLength(16 * MEGABYTE) : ofChunks());
      const pump = (): void => {
        let room = true;
        while (room && total < 16 * MEGABYTE) {
          room = seen.responder.sendBody(piece);
          total += piece.length;
        }
        if (total === 16 * MEGABYTE) seen.responder.finish();
      };
      seen.onRoom = pump;
      pump();
    });
    client.socket.removeAllListeners('data');
    client.socket.pause();
    client.send(get);
    await rig.until(() => total > 0);
    let received = 0;
    const reader = new BodyReader(framing === 'chunks', (bytes) => {
      received += bytes.length;
    });
    client.socket.on('data', (bytes: Buffer) => reader.take(bytes));
    client.socket.resume();
    await rig.until(() => received === 16 * MEGABYTE && rig.downstream.active() === 0);
    t.pass(framing);
  }
});

t.test(
  'a paused upload stands still, continues, and the connection serves the next request',
  options,
  async (t) => {
    const total = 32 * MEGABYTE;
    let paused = false;
    const { rig, client } = await serve(t, (seen) => {
      if (seen.framing === Framing.NONE) return reply(seen.responder, 'next');
      seen.onPiece = (_piece, last) => {
        if (!paused) {
          paused = true;
          seen.responder.pauseBody();
        }
        if (last) reply(seen.responder, String(seen.bodyBytes));
      };
    });
    const other = rig.connect();
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: ${total}\r\n\r\n`);
    client.send(Buffer.alloc(total, 'a'));
    await rig.until(() => paused);
    // Requests of others, which share uWS's per-thread state of pauses, continue.
    for (let i = 0; i < 50; i++) {
      other.send(get);
      t.equal((await other.answer()).body, 'next');
    }
    const [seen] = rig.seen;
    t.ok(seen!.bodyBytes <= 9 * MEGABYTE, `${seen!.bodyBytes} arrived after the pause`);
    seen!.responder.resumeBody();
    t.equal((await client.answer()).body, String(total));
    client.send(get);
    t.equal((await client.answer()).body, 'next');
    other.destroy();
  },
);

t.test('the client’s address is text', options, async (t) => {
  const { client } = await serve(t, ({ responder }) => reply(responder, responder.clientAddress()));
  client.send(get);
  t.equal((await client.answer()).body, '127.0.0.1');
});

t.test(
  'drain: what is in flight is answered with Connection: close, then it resolves',
  options,
  async (t) => {
    const { rig, client } = await serve(t, () => {});
    const kept = rig.connect();
    client.send(get);
    await rig.until(() => rig.seen.length === 1);
    kept.send(get);
    await rig.until(() => rig.seen.length === 2);
    let drained = false;
    const drain = rig.downstream.drain().then(() => {
      drained = true;
    });
    reply(rig.seen[0]!.responder, 'one');
    t.match(await client.answer(), { fields: /Connection: close/, body: 'one' });
    t.equal(drained, false);
    rig.seen[1]!.responder.answer(500, 'two');
    t.match(await kept.answer(), { fields: /Connection: close/, body: 'two' });
    await drain;
    t.equal(drained, true);
    await rig.downstream.drain();
  },
);

t.test('close aborts what is in flight', options, async (t) => {
  const { rig, client } = await serve(t, () => {});
  client.send(get);
  await rig.until(() => rig.seen.length === 1);
  rig.downstream.close();
  t.equal(rig.seen[0]!.aborted, 1);
  t.equal(rig.downstream.connections(), 0);
  await client.closed();
});

/** Takes a response off the wire without keeping it. */
class BodyReader {
  bytes = 0;
  readonly #chunked: boolean;
  readonly #onBytes: (bytes: Buffer) => void;
  #head = true;
  #held: Buffer = Buffer.alloc(0);
  #chunkLeft = 0;

  constructor(chunked: boolean, onBytes: (bytes: Buffer) => void) {
    this.#chunked = chunked;
    this.#onBytes = onBytes;
  }

  take(received: Buffer): void {
    let bytes = this.#held.length === 0 ? received : Buffer.concat([this.#held, received]);
    this.#held = Buffer.alloc(0);
    if (this.#head) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) {
        this.#held = bytes;
        return;
      }
      this.#head = false;
      bytes = bytes.subarray(end + 4);
    }
    if (this.#chunked) this.#takeChunks(bytes);
    else this.#give(bytes);
  }

  #takeChunks(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#chunkLeft > 0) {
        const part = bytes.subarray(at, at + this.#chunkLeft);
        this.#give(part);
        this.#chunkLeft -= part.length;
        at += part.length;
        continue;
      }
      // The size line, with the CRLF of the chunk before it.
      const from = bytes[at] === 13 ? at + 2 : at;
      const end = bytes.indexOf('\r\n', from);
      if (end === -1) {
        this.#held = Buffer.from(bytes.subarray(at));
        return;
      }
      this.#chunkLeft = Number.parseInt(bytes.toString('latin1', from, end), 16);
      at = end + 2;
      if (this.#chunkLeft === 0) return;
    }
  }

  #give(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.bytes += bytes.length;
    this.#onBytes(bytes);
  }
}
