import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import type { Readable } from 'node:stream';
import type { LoadCommandOptions } from '../../../config/commands/load.js';
import t, { type Test } from '../../support/tap.js';

const modulePath = new URL('../../../workers/commands/load.js', import.meta.url).href;
const defaults = {
  rate: null,
  output: 'text' as const,
  durationMs: 300,
  connections: 1,
  method: null,
  headers: [],
  host: null,
  body: null,
  http2: false,
  streams: 1,
  grpc: null,
};

/** In a process of its own, because it speaks on standard output and listens to signals. */
function start(options: LoadCommandOptions): ChildProcessByStdio<null, Readable, Readable> {
  const script = `import { loadCommand } from ${JSON.stringify(modulePath)};
    process.exitCode = await loadCommand(${JSON.stringify(options)});`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finished(
  child: ReturnType<typeof start>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

async function serve(t: Test): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

t.test(
  'a run ends with the table on stdout, nothing on a stderr that is not a terminal, and exit code 0',
  async (t) => {
    const { url } = await serve(t);
    const { code, stdout, stderr } = await finished(start({ ...defaults, url }));
    t.equal(code, 0);
    t.match(stdout, /answers +\d+.*p99\.9/s);
    t.equal(stderr, '');
  },
);

t.test('SIGINT ends the run early and the table still comes', async (t) => {
  const { server, url } = await serve(t);
  const child = start({ ...defaults, url, durationMs: 120_000 });
  const end = finished(child);
  for (let i = 0; i < 5; i++) await once(server, 'request');
  child.kill('SIGINT');
  const { code, stdout } = await end;
  t.equal(code, 0);
  t.match(stdout, /answers +\d+/);
});

t.test('what keeps a run from beginning is one line on stderr and exit code 1', async (t) => {
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const { url } = await serve(t);
  const cases: [name: string, options: LoadCommandOptions, line: RegExp][] = [
    ['no URL', { ...defaults, url: 'nonsense' }, /^umbra load: not an http or https URL: nonsense\n$/],
    [
      'a host without a scheme',
      { ...defaults, url: 'localhost:80' },
      /^umbra load: not an http or https URL: .*\n$/,
    ],
    [
      'nobody listens',
      { ...defaults, url: `http://127.0.0.1:${port}/` },
      /^umbra load: can't reach http:.*ECONNREFUSED.*\n$/,
    ],
    [
      'no body file',
      { ...defaults, url, body: '/does/not/exist' },
      /^umbra load: can't read the body file: ENOENT.*\n$/,
    ],
  ];
  for (const [name, options, line] of cases) {
    const { code, stdout, stderr } = await finished(start(options));
    t.equal(code, 1, name);
    t.match(stderr, line, name);
    t.equal(stdout, '', name);
  }
});
