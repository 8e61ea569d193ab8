/** h2load (nghttp2): its command line and what it prints. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.js';

export interface H2Load {
  readonly requests: number;
  readonly errors: number;
}

export interface H2LoadCase {
  /** All of them are completed, so that each one's cost is counted. */
  readonly requests: number;
  readonly connections: number;
  /** Concurrent streams of each connection. */
  readonly streams: number;
  /** 0: GETs. */
  readonly bodyBytes: number;
  /** One message of gRPC is the body. */
  readonly grpc?: boolean;
}

/** A message of gRPC with five bytes. */
export const grpcMessage = Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x62, 0x63]);
const grpcFields = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];

/** Loads `url` over HTTP/2. Rejects with an Error when it fails. */
export async function h2load(
  url: string,
  { requests, connections, streams, bodyBytes, grpc = false }: H2LoadCase,
  cpus: string | null,
): Promise<H2Load> {
  const sent = grpc ? grpcMessage : Buffer.alloc(bodyBytes, '.');
  const body = sent.length === 0 ? [] : ['-d', bodyFile(sent), ...(grpc ? grpcFields : [])];
  const words = ['-n', String(requests), '-c', String(connections), '-m', String(streams), ...body, url];
  return parseH2load(await new Child('h2load', words, { cpus }).output());
}

/** Throws an Error on text that is not a finished run's. */
function parseH2load(text: string): H2Load {
  const [, succeeded, failed] = /^requests: .* (\d+) succeeded, (\d+) failed/m.exec(text) ?? [];
  const [, ...others] = /^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m.exec(text) ?? [];
  if (succeeded === undefined || failed === undefined || others.length === 0)
    throw new Error(`h2load printed no total: ${text.trim()}`);
  const bad = others.reduce((total, count) => total + Number(count), 0);
  return { requests: Number(succeeded), errors: Number(failed) + bad };
}

/** Paths by content. */
const bodies = new Map<string, string>();

function bodyFile(bytes: Buffer): string {
  const content = bytes.toString('latin1');
  let path = bodies.get(content);
  if (path === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-bench-h2load-'));
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    path = join(directory, 'body');
    writeFileSync(path, bytes);
    bodies.set(content, path);
  }
  return path;
}
