/** A registry as npm's command line needs it to publish and to install: documents, tarballs, compressed answers. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What `npm publish` sends. */
interface PackageDocument {
  name: string;
  versions: Record<string, { dist: { tarball: string } }>;
  'dist-tags': Record<string, string>;
  _attachments: Record<string, { data: string }>;
}

export class Registry {
  /** Requests so far, as `METHOD target`. */
  readonly requests: string[] = [];
  readonly #documents = new Map<string, PackageDocument>();
  readonly #tarballs = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      void this.#answer(request, response);
    });
  }

  static async listen(): Promise<Registry> {
    const registry = new Registry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [name, , file] = decodeURIComponent(request.url!.slice(1)).split('/');
    const document = this.#documents.get(name);
    const tarball = this.#tarballs.get(file);
    if (request.method === 'PUT') {
      this.#publish(await textOf(request), request.headers.host!);
      sendJson(response, 201, { ok: true });
    } else if (tarball !== undefined) {
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': tarball.length,
      });
      response.end(tarball);
    } else if (file === undefined && document !== undefined) {
      sendJson(response, 200, document);
    } else {
      sendJson(response, 404, { error: 'not found' });
    }
  }

  /** Tarballs are where the client reached the registry: at umbra, if it hands Host on. */
  #publish(text: string, host: string): void {
    const { _attachments: attachments, ...document } = JSON.parse(text) as PackageDocument;
    for (const [file, { data }] of Object.entries(attachments))
      this.#tarballs.set(file, Buffer.from(data, 'base64'));
    for (const { dist } of Object.values(document.versions)) {
      const file = dist.tarball.slice(dist.tarball.lastIndexOf('/') + 1);
      dist.tarball = `http://${host}/${document.name}/-/${file}`;
    }
    this.#documents.set(document.name, document as PackageDocument);
  }
}

/** Compressed and without a length, as a streaming server does. */
function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  response.write(gzipSync(JSON.stringify(value)));
  response.end();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
