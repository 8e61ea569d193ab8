/** Git over HTTP as a version: `git http-backend` behind the CGI interface (RFC 3875). */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { LocalServer } from './local-server.js';

const headEnd = Buffer.from('\r\n\r\n');

export class GitServer extends LocalServer {
  /** Heads of the requests so far. */
  readonly requests: { method: string; target: string; headers: IncomingMessage['headers'] }[] = [];

  private constructor(root: string) {
    super(createServer());
    this.server.on('request', (request, response) => {
      this.requests.push({ method: request.method!, target: request.url!, headers: request.headers });
      runBackend(root, request, response);
    });
  }

  /** Serves the bare repositories below `root`, to read and to write. */
  static listen(root: string): Promise<GitServer> {
    return new GitServer(root).listening();
  }
}

function runBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const [path, query = ''] = request.url!.split('?');
  const { headers } = request;
  const meta: Record<string, string | undefined> = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: path,
    QUERY_STRING: query,
    REQUEST_METHOD: request.method,
    REMOTE_USER: 'tester',
    REMOTE_ADDR: '127.0.0.1',
    CONTENT_TYPE: headers['content-type'],
    CONTENT_LENGTH: headers['content-length'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    HTTP_GIT_PROTOCOL: headers['git-protocol'] as string | undefined,
  };
  const env = Object.fromEntries(Object.entries(meta).filter(([, value]) => value !== undefined));
  const child = spawn('git', ['http-backend'], { env: { PATH: process.env.PATH, ...env } });
  request.pipe(child.stdin).on('error', () => {});
  let head: Buffer | null = Buffer.alloc(0);
  child.stdout.on('data', (piece: Buffer) => {
    if (head === null) {
      if (!response.write(piece)) child.stdout.pause();
      return;
    }
    head = Buffer.concat([head, piece]);
    const end = head.indexOf(headEnd);
    if (end < 0) return;
    writeHead(response, head.toString('latin1', 0, end));
    response.write(head.subarray(end + headEnd.length));
    head = null;
  });
  response.on('drain', () => child.stdout.resume());
  response.on('close', () => child.kill());
  child.stdout.on('end', () => response.end());
}

function writeHead(response: ServerResponse, head: string): void {
  for (const line of head.split('\r\n')) {
    const [name, value] = line.split(/: */, 2);
    if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
}
