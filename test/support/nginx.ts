/** nginx as a version of a service, where it is installed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepts, freePort } from './ports.js';
import { until } from './umbra.js';

/** What `nginx -V` says, or null where there is none; tests skip themselves with a visible word. */
export function nginxVersion(): string | null {
  try {
    return execFileSync('nginx', ['-V'], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' }) || 'nginx';
  } catch {
    return null;
  }
}

export class Nginx {
  readonly port: number;
  /** What it serves from. */
  readonly root: string;
  readonly #directory: string;
  readonly #child: ChildProcess;

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.root = join(directory, 'html');
    this.#directory = directory;
    this.#child = child;
  }

  /** `files` by name below the root. */
  static start(files: Readonly<Record<string, Buffer>>): Promise<Nginx> {
    return Nginx.#start(files, '');
  }

  /**
   * One that passes everything on to `port` as it does by default: with HTTP/1.0, a connection for each
   * request.
   */
  static startBefore(port: number): Promise<Nginx> {
    return Nginx.#start({}, `location / { proxy_pass http://127.0.0.1:${port}; }`);
  }

  static async #start(files: Readonly<Record<string, Buffer>>, location: string): Promise<Nginx> {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-nginx-'));
    mkdirSync(join(directory, 'html'), { mode: 0o755 });
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(directory, 'html', name), content);
    const port = await freePort();
    const conf = join(directory, 'nginx.conf');
    writeFileSync(conf, configuration(port, directory, location));
    const child = spawn('nginx', ['-p', directory, '-e', join(directory, 'error.log'), '-c', conf], {
      stdio: 'ignore',
    });
    process.once('exit', () => child.kill('SIGKILL'));
    await until(() => accepts(port), 'nginx listens');
    return new Nginx(port, directory, child);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function configuration(port: number, directory: string, location: string): string {
  return `daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_max_body_size 16m;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server {
    listen 127.0.0.1:${port};
    root ${directory}/html;
    ${location}
  }
}
`;
}
