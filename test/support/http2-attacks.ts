/** Every known attack on HTTP/2 that ends its connection, as rounds of bytes. */
import { Setting } from '../../core/http2/settings.js';
import { limits } from '../../core/limits.js';
import { frame, get, post, settingsFrame, uint32 } from '../core/http2/session-side.js';
import type { RawHttp2 } from './raw-http2.js';

const INT31_MAX = 2 ** 31 - 1;
const CANCEL = uint32(8);
export const ping = frame(6, 0, 0, Buffer.alloc(8));
export interface Attack {
  readonly what: string;
  readonly guard: string;
  readonly code: string;
  /** The `n`th round of bytes. */
  readonly round: (client: RawHttp2, n: number) => Buffer[];
  readonly rounds: number;
  /** The attack needs requests that are not answered. */
  readonly hangs?: boolean;
}

export const id = (n: number): number => 2 * n + 1;
const many = limits.http2EmptyFrames + 2000;
/** `GET / HTTP/2` of the host `h`, of static entries and one literal that is not indexed. */
const small = Buffer.from([0x82, 0x86, 0x84, 0x01, 1, 0x68]);
/** The same with a literal `x` of 2000 bytes that is indexed: its length is 127 and 1873 more. */
const large = Buffer.concat([small, Buffer.from([0x40, 1, 0x78, 0x7f, 0xd1, 0x0e]), Buffer.alloc(2000, 'y')]);
/** The newest entry of the table, 60 times. */
const named = Buffer.alloc(60, 0x80 | 62);

/** The attacks, with requests for `path` where they are to hang. */
export function attacksOn(path: string): readonly Attack[] {
  const asked = get.map((pair) => (pair[0] === ':path' ? ([':path', path] as const) : pair));
  const posted = post.map((pair) => (pair[0] === ':path' ? ([':path', path] as const) : pair));
  return [
    {
      what: 'rapid reset (CVE-2023-44487)',
      guard: 'resets',
      code: 'ENHANCE_YOUR_CALM',
      rounds: 1000,
      round: (client, n) => [client.headers(id(n), asked), frame(3, 0, id(n), CANCEL)],
      hangs: true,
    },
    {
      what: 'resets that we are made to send (CVE-2025-8671)',
      guard: 'resets',
      code: 'ENHANCE_YOUR_CALM',
      rounds: 1000,
      round: (client, n) => [client.headers(id(n), asked), frame(8, 0, id(n), uint32(0))],
      hangs: true,
    },
    {
      what: 'streams past the limit',
      guard: 'streams',
      code: 'ENHANCE_YOUR_CALM',
      rounds: 1000,
      round: (client, n) => [client.headers(id(n), asked)],
      hangs: true,
    },
    {
      what: 'CONTINUATION flood (CVE-2024-27316)',
      guard: 'block',
      code: 'ENHANCE_YOUR_CALM',
      rounds: 1000,
      round: (_client, n) => [n === 0 ? frame(1, 1, 1) : frame(9, 0, 1, Buffer.alloc(100, 0x82))],
    },
    {
      what: 'HPACK bomb',
      guard: 'lists',
      code: 'ENHANCE_YOUR_CALM',
      rounds: 400,
      // One field of 2 KiB, which enters the table with the first block, and is named 60 times by each.
      round: (_client, n) => [frame(1, 5, id(n), Buffer.concat([n === 0 ? large : small, named]))],
    },
    {
      what: 'SETTINGS of many entries',
      guard: 'settings',
      code: 'ENHANCE_YOUR_CALM',
      rounds: 1,
      round: () => [
        settingsFrame(...Array.from({ length: 33 }, () => [Setting.INITIAL_WINDOW_SIZE, 7] as const)),
      ],
    },
    ...(
      [
        ['PING', ping],
        ['SETTINGS', settingsFrame()],
        ['PRIORITY', frame(2, 0, 3, Buffer.alloc(5))],
        ['unknown frames', frame(77, 0, 0, Buffer.alloc(3))],
        ['WINDOW_UPDATE', frame(8, 0, 0, uint32(1))],
      ] as const
    ).map(([name, bytes]) => ({
      what: `${name} flood`,
      guard: 'frames',
      code: 'ENHANCE_YOUR_CALM',
      rounds: many,
      round: () => [bytes],
    })),
    {
      what: 'empty DATA',
      guard: 'frames',
      code: 'ENHANCE_YOUR_CALM',
      rounds: many,
      round: (client, n) => [n === 0 ? client.headers(1, posted, false) : frame(0, 0, 1)],
      hangs: true,
    },
    ...(
      [
        ['DATA', () => frame(0, 0, 1, Buffer.alloc(1000))],
        ['a block', (client: RawHttp2) => client.headers(1, [['a', 'b']])],
      ] as const
    ).map(([name, late]) => ({
      what: `${name} on a stream that the client has reset`,
      guard: 'closed',
      code: 'STREAM_CLOSED',
      rounds: 2,
      round: (client: RawHttp2, n: number) =>
        n === 0 ? [client.headers(1, posted, false), frame(3, 0, 1, CANCEL)] : [late(client)],
      hangs: true,
    })),
    {
      what: 'a window past 2^31 - 1',
      guard: 'window',
      code: 'FLOW_CONTROL_ERROR',
      rounds: 1,
      round: () => [frame(8, 0, 0, uint32(INT31_MAX))],
    },
  ];
}

/** Frames in one write: a client that is cut off has sent no more than a few of them too many. */
export const BATCH = 256;

/** Sends `rounds` of an attack, or fewer if the connection ends before. */
export async function sendAttack(client: RawHttp2, { round }: Attack, rounds: number): Promise<void> {
  const isOver = (): boolean => client.isClosed || client.frames.some((line) => line.startsWith('GOAWAY'));
  for (let n = 0; n < rounds && !isOver(); ) {
    const parts: Buffer[] = [];
    for (const end = Math.min(rounds, n + BATCH); n < end; n++) parts.push(...round(client, n));
    client.send(...parts);
    await new Promise(setImmediate);
  }
}
