/** Hooks of rollouts: real programs, and a real server. */
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { limits } from '../../../core/limits.js';
import { RolloutHooks } from '../../../workers/control/rollout-hooks.js';
import type { RolloutEvent } from '../../../workers/control/running-rollout.js';
import t, { type Test } from '../../support/tap.js';
import { until } from '../../support/umbra.js';

const event: RolloutEvent = {
  event: 'rollback',
  route: 'reviews',
  from: 'v1',
  to: 'v2',
  id: 'a',
  state: 'rolled-back',
  step: 1,
  steps: 4,
  percent: 0,
  reason: "errors: v2 failed; $(touch pwned) 'quoted'",
  example: '',
  at: '2026-01-01T00:00:00.000Z',
};

/** Hooks over a directory of programs, and what was logged. */
function rig(t: Test, programs: Readonly<Record<string, string>> = {}) {
  const directory = t.testdir();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  const logged: string[] = [];
  const put = (_fields: object, message: string): void => {
    logged.push(message);
  };
  const hooks = new RolloutHooks({ info: put, warn: put, error: put }, directory);
  const last = (count = 1): Promise<string | undefined> =>
    until(() => logged.length >= count && logged[logged.length - 1], 'the hook has ended');
  const execute = (command: readonly string[], timeoutMs = 20_000): void =>
    hooks.run({ kind: 'command', command, timeoutMs }, event);
  return { directory, hooks, logged, last, execute };
}

t.test('a program gets its arguments as they are, and the event as JSON', async (t) => {
  const { directory, hooks, last, execute } = rig(t, {
    'write.sh': `cat > "$(dirname "$0")/got"; printf '%s|' "$@" > "$(dirname "$0")/words"`,
  });
  execute(['write.sh', 'a b', '$(touch pwned)', ';']);
  t.equal(await last(), 'hook write.sh took the rollback of reviews');
  t.strictSame(JSON.parse(readFileSync(join(directory, 'got'), 'utf8')), event);
  t.equal(readFileSync(join(directory, 'words'), 'utf8'), 'a b|$(touch pwned)|;|');
  t.strictSame(hooks.counts, { ok: 1, failed: 0, refused: 0 });
});

t.test('a program that fails is logged with its exit code and the start of what it wrote', async (t) => {
  const { hooks, last, execute } = rig(t, {
    'fail.sh': 'echo out of paper >&2; exit 7',
    'loud.sh': 'head -c 1000000 /dev/zero | tr "\\\\0" x; exit 1',
    'deaf.sh': 'exec 0<&-; exit 0',
  });
  execute(['fail.sh']);
  t.equal(await last(), 'hook fail.sh for the rollback of reviews failed: exit code 7: out of paper');
  execute(['loud.sh']);
  const said = (await last(2))!;
  t.match(said, /failed: exit code 1: xxxx/);
  t.ok(said.length < limits.hookOutputBytes + 100, `${said.length} characters are logged`);
  execute(['deaf.sh']);
  t.match(await last(3), /took the rollback/, 'it need not read the event');
  t.strictSame(hooks.counts, { ok: 1, failed: 2, refused: 0 });
});

t.test('a program that does not end is killed with what it started', async (t) => {
  const { directory, last, execute } = rig(t, {
    'slow.sh': 'sleep 600 & echo $! > "$(dirname "$0")/child"; wait',
  });
  execute(['slow.sh'], 1000);
  t.equal(await last(), 'hook slow.sh for the rollback of reviews failed: no end within 1000 ms');
  const child = Number(readFileSync(join(directory, 'child'), 'utf8'));
  await until(() => isGone(child), 'its child is gone');
});

t.test('only a file of the directory runs', async (t) => {
  const { directory, logged, last, execute } = rig(t, { 'ok.sh': 'exit 0' });
  const refused = ['../ok.sh', join(directory, 'ok.sh'), '..', '.ok.sh', 'sub/ok.sh'];
  for (const name of refused) execute([name]);
  await last(refused.length);
  for (const line of logged) t.match(line, /is not the name of a file in UMBRA_HOOKS/);
  execute(['missing.sh']);
  t.match(await last(refused.length + 1), /hook missing.sh .* failed: spawn .* ENOENT/);
  writeFileSync(join(directory, 'plain.txt'), 'no program');
  execute(['plain.txt']);
  t.match(await last(refused.length + 2), /failed: spawn .*EACCES/);
  const lines: string[] = [];
  const log = (_fields: object, message: string): void => {
    lines.push(message);
  };
  const none = new RolloutHooks({ info: log, warn: log, error: log }, undefined);
  none.run({ kind: 'command', command: ['ok.sh'], timeoutMs: 1000 }, event);
  await until(() => lines.length === 1, 'it is refused');
  t.match(lines[0], 'UMBRA_HOOKS does not name a directory');
});

t.test('more hooks than may run at once are refused and counted, and none is waited for', async (t) => {
  const { directory, hooks, logged, last, execute } = rig(t, {
    'wait.sh': 'while [ ! -e "$(dirname "$0")/go" ]; do sleep 0.05; done',
  });
  for (let i = 0; i <= limits.hooksAtOnce; i++) execute(['wait.sh']);
  t.match(logged, ['hook of reviews was not run: 8 are running'], 'at once');
  t.equal(hooks.counts.refused, 1);
  writeFileSync(join(directory, 'go'), '');
  await last(limits.hooksAtOnce + 1);
  t.strictSame(hooks.counts, { ok: limits.hooksAtOnce, failed: 0, refused: 1 });
  execute(['wait.sh']);
  t.match(await last(limits.hooksAtOnce + 2), /took/, 'there is room again');
});

t.test('a URL gets the event in a POST request, and its status and silence are failures', async (t) => {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(`${request.method} ${request.url} ${request.headers['content-type']} ${await text(request)}`);
    if (request.url === '/silent') return;
    if (request.url === '/moved') response.setHeader('location', '/ok');
    response.statusCode = request.url === '/ok' ? 204 : request.url === '/moved' ? 302 : 500;
    response.end(request.url === '/bad' ? 'x'.repeat(100_000) : undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const { hooks, last } = rig(t);
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  const post = (path: string, timeoutMs = 20_000): void =>
    hooks.run({ kind: 'http', url: url(path), timeoutMs }, event);
  post('/ok');
  t.equal(await last(), `hook 127.0.0.1:${port} took the rollback of reviews`);
  t.equal(bodies[0], `POST /ok application/json ${JSON.stringify(event)}`);
  post('/bad');
  t.match(await last(2), /failed: status 500$/);
  post('/moved');
  t.match(await last(3), /failed: .*redirect/, 'an event goes to no other place');
  post('/silent', 300);
  t.match(await last(4), /failed: .*timeout/);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  post('/ok');
  t.match(await last(5), /failed: fetch failed: (connect ECONNREFUSED|other side closed)/);
  t.strictSame(hooks.counts, { ok: 1, failed: 4, refused: 0 });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie waits for whoever takes its status.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].startsWith('Z');
  } catch {
    return true;
  }
}
