/**
 * nginx, plain and with its mirror module, with one worker and what its documentation recommends for a proxy: HTTP/1.1
 * and a pool of kept connections to each upstream. Limits on requests per connection are lifted, because umbra has none.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../child.js';
import { isInstalled } from '../placement.js';
import { childrenOf } from '../proc.js';
import type { Target } from './target.js';

const readyTimeoutMs = 5000;
const readyPollMs = 20;

/** What is mirrored; `/off` is not in either case. */
type Mirrored = 'nothing' | 'everything';

export const nginx = nginxTarget('nginx', 'nothing');
export const nginxMirror = nginxTarget('nginx-mirror', 'everything');

function nginxTarget(name: string, mirrored: Mirrored): Target {
  return {
    name,
    mirrors: mirrored === 'everything',
    missing: () => (isInstalled('nginx') ? null : 'nginx is not installed'),
    start: async ({ primary, shadow }, placement) => {
      const directory = await mkdtemp(join(tmpdir(), 'umbra-bench-nginx-'));
      const port = await freePort();
      await writeFile(
        join(directory, 'nginx.conf'),
        configuration(port, primary.port, shadow.port, mirrored),
      );
      const child = new Child('nginx', ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'], {
        cpus: placement.proxy,
      });
      const stop = async (): Promise<void> => {
        await child.stop();
        await rm(directory, { recursive: true, force: true });
      };
      try {
        await untilAccepting(child, port);
      } catch (error) {
        await stop();
        throw error;
      }
      const pids = [child.pid, ...childrenOf(child.pid)];
      return { url: `http://127.0.0.1:${port}/`, pids: () => pids, stop };
    },
  };
}

function configuration(port: number, primaryPort: number, shadowPort: number, mirrored: Mirrored): string {
  const upstream = (name: string, upstreamPort: number): string => `
  upstream ${name} {
    server 127.0.0.1:${upstreamPort};
    keepalive 64;
    keepalive_requests 1000000000;
  }`;
  const pass = `proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;`;
  const mirror = `
    location = /.mirror {
      internal;
      ${pass}
      proxy_pass http://shadow$request_uri;
    }`;
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
  access_log off;
  # Bodies of any size flow through, as they do through umbra, and are not written to files.
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
${upstream('primary', primaryPort)}
${upstream('shadow', shadowPort)}
  server {
    listen 127.0.0.1:${port};
    location / {
      ${mirrored === 'everything' ? 'mirror /.mirror;' : ''}
      ${pass}
      proxy_pass http://primary;
    }
    location = /off {
      ${pass}
      proxy_pass http://primary;
    }
    ${mirrored === 'everything' ? mirror : ''}
  }
}
`;
}

/** nginx knows no port 0. The port that the kernel just gave out is not given out again soon. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function untilAccepting(child: Child, port: number): Promise<void> {
  const endMs = Date.now() + readyTimeoutMs;
  while (Date.now() < endMs) {
    if (!child.isRunning) throw new Error(`nginx ended: ${child.stderr.trim()}`);
    if (await accepts(port)) return;
    await new Promise((resolve) => setTimeout(resolve, readyPollMs));
  }
  throw new Error(`nginx is not ready after ${readyTimeoutMs} ms: ${child.stderr.trim()}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
