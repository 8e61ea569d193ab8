// Runs over one engine: asks for the node engine, which alone has HTTP/2.
/** Clients and servers of @grpc/grpc-js, an implementation that is not ours, through umbra. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { lawHolds, mirrorTo, pairsTo } from '../support/law.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

// A busy machine takes seconds to start each umbra.
t.setTimeout(120_000);

const packages = process.env.UMBRA_TEST_PACKAGES;

/** What these tests use of the package, which is not a dependency, so that its types are not there. */
interface GrpcJs {
  readonly Server: new () => ServerJs;
  readonly Client: new (address: string, credentials: unknown) => ClientJs;
  readonly Metadata: new () => { set(name: string, value: string): void; get(name: string): unknown[] };
  readonly credentials: { createInsecure(): unknown };
  readonly ServerCredentials: { createInsecure(): unknown };
}
interface ServerJs {
  addService(definition: object, methods: object): void;
  bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
  forceShutdown(): void;
}
interface CallJs {
  readonly request: Buffer;
  on(event: 'data', take: (message: Buffer) => void): CallJs;
  on(event: 'end', take: () => void): CallJs;
  on(event: 'error', take: (error: { code: number; details: string }) => void): CallJs;
  on(event: 'status', take: (status: { code: number }) => void): CallJs;
  write(message: Buffer): boolean;
  end(): void;
}
type Reply = (error: object | null, message?: Buffer) => void;
type Bytes = (bytes: Buffer) => Buffer;
interface ClientJs {
  makeUnaryRequest(path: string, to: Bytes, from: Bytes, message: Buffer, done: Reply): void;
  makeClientStreamRequest(path: string, to: Bytes, from: Bytes, done: Reply): CallJs;
  makeServerStreamRequest(path: string, to: Bytes, from: Bytes, message: Buffer): CallJs;
  makeBidiStreamRequest(path: string, to: Bytes, from: Bytes): CallJs;
  close(): void;
}

function load(): GrpcJs | null {
  if (packages === undefined) return null;
  try {
    return createRequire(join(packages, 'package.json'))('@grpc/grpc-js') as GrpcJs;
  } catch {
    return null;
  }
}
const grpc = load();
const skip = grpc === null && 'UMBRA_TEST_PACKAGES names no place with @grpc/grpc-js';

const same: Bytes = (bytes) => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/echo.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

async function serve(t: Test, { Server, ServerCredentials }: GrpcJs): Promise<number> {
  const server = new Server();
  server.addService(
    {
      unary: method('Unary', false, false),
      gather: method('Gather', true, false),
      spread: method('Spread', false, true),
      talk: method('Talk', true, true),
    },
    {
      unary: ({ request }: CallJs, reply: Reply) =>
        request.length === 0 ? reply({ code: 9, details: 'nothing to send back, ü' }) : reply(null, request),
      gather: (call: CallJs, reply: Reply) => {
        const pieces: Buffer[] = [];
        call.on('data', (message) => pieces.push(message));
        call.on('end', () => reply(null, Buffer.concat(pieces)));
      },
      spread: (call: CallJs) => {
        for (const byte of call.request) call.write(Buffer.from([byte]));
        call.end();
      },
      talk: (call: CallJs) => {
        call.on('data', (message) => call.write(message));
        call.on('end', () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  t.teardown(() => server.forceShutdown());
  return port;
}

t.test('all four kinds of calls, between grpc-js on both sides', { skip }, async (t) => {
  const js = grpc!;
  const [v1, v2] = [await serve(t, js), await serve(t, js)];
  const umbra = await UmbraProcess.start(
    reviews(v1, v2, {
      mirror: { compare: { sample: '100%' }, inFlight: 4096 },
      v1: { protocol: 'http2' },
      v2: { protocol: 'http2' },
      umbra: { listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2' }] },
    }),
  );
  const client = new js.Client(`127.0.0.1:${umbra.port}`, js.credentials.createInsecure());
  t.teardown(async () => {
    client.close();
    await umbra.stop();
  });
  const unary = (message: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest('/echo.Echo/Unary', same, same, message, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      );
    });
  const large = Buffer.alloc(1_000_000, 'x');
  t.strictSame(await unary(large), large);
  await t.rejects(unary(Buffer.alloc(0)), { code: 9, details: 'nothing to send back, ü' });
  await Promise.all(Array.from({ length: 100 }, (_, n) => unary(Buffer.from(`call ${n}`))));

  const gathered = await new Promise<Buffer>((resolve, reject) => {
    const call = client.makeClientStreamRequest('/echo.Echo/Gather', same, same, (error, answer) =>
      error === null ? resolve(answer!) : reject(error),
    );
    for (const word of ['one ', 'two ', 'three']) call.write(Buffer.from(word));
    call.end();
  });
  t.equal(gathered.toString(), 'one two three');

  const spread = await new Promise<string>((resolve, reject) => {
    let text = '';
    const call = client.makeServerStreamRequest('/echo.Echo/Spread', same, same, Buffer.from('abc'));
    call.on('data', (message) => {
      text += `${message},`;
    });
    call.on('error', reject);
    call.on('status', () => resolve(text));
  });
  t.equal(spread, 'a,b,c,');

  const talked = await new Promise<number>((resolve, reject) => {
    let count = 0;
    const call = client.makeBidiStreamRequest('/echo.Echo/Talk', same, same);
    call.on('data', () => {
      if (++count === 10) call.end();
      else call.write(Buffer.from(`message ${count}`));
    });
    call.on('error', reject);
    call.on('status', () => resolve(count));
    call.write(Buffer.from('message 0'));
  });
  t.equal(talked, 10);
  const stats = await lawHolds(t, umbra);
  t.equal(mirrorTo(stats, 'v2').completed, 105);
  t.equal((await pairsTo(umbra, 'v2', 105)).equal, 105);
});
