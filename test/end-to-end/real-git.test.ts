// Runs over one engine: asks for both engines.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, runWell } from '../support/command.js';
import { engines } from '../support/engines.js';
import { GitServer } from '../support/git-server.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import { bodyOf } from './mixed.js';

const MiB = 1024 * 1024;
/** Enough that git compresses the list of what a client has. */
const commits = 300;
/** Above `http.postBuffer`, from which on git sends chunks. */
const pushed = bodyOf(11, 5 * MiB);

t.test(
  'git clones, fetches and pushes some megabytes, and the shadow of a push holds the same commits',
  { skip: missing('git') },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-git-'));
    const env = {
      HOME: directory,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@localhost',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@localhost',
      no_proxy: '*',
    };
    const git = async (where: string, ...words: string[]): Promise<string> =>
      String((await runWell('git', words, { cwd: join(directory, where), env })).out).trim();
    for (const version of ['v1', 'v2']) {
      const repository = join(version, 'app.git');
      mkdirSync(join(directory, repository), { recursive: true });
      await git(repository, 'init', '--quiet', '--bare', '--initial-branch=main');
      await runWell('git', ['fast-import', '--quiet'], {
        cwd: join(directory, repository),
        env,
        input: history(),
      });
    }
    const v1 = await GitServer.listen(join(directory, 'v1'));
    const v2 = await GitServer.listen(join(directory, 'v2'));
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { body: { max: '16MiB' }, host: 'preserve', timeout: '20s' },
        umbra: {
          threads: { proxy: 1, shadow: 1, ring: '32MiB' },
          listen: engines.map((engine) => ({ address: '127.0.0.1:0', engine })),
        },
      }),
    );
    t.teardown(async () => {
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
      rmSync(directory, { recursive: true, force: true });
    });
    const urls = (/listen=(\S+)/.exec(umbra.out)?.[1] ?? '').split(',').map((url) => `${url}/app.git`);
    const [uws, node = uws] = urls;

    await git('.', 'clone', '--quiet', uws, 'one');
    await git('.', '-c', 'protocol.version=0', 'clone', '--quiet', node, 'two');
    for (const clone of ['one', 'two']) {
      await git(clone, 'fsck', '--strict');
      t.equal(await git(clone, 'rev-list', '--count', 'HEAD'), String(commits));
      t.ok(readFileSync(join(directory, clone, 'large.bin')).equals(bodyOf(10, 6 * MiB)));
    }

    writeFileSync(join(directory, 'one', 'pushed.bin'), pushed);
    await git('one', 'add', 'pushed.bin');
    await git('one', 'commit', '--quiet', '--message', 'Some megabytes');
    await git('one', 'push', '--quiet', 'origin', 'main');
    const head = await git('one', 'rev-parse', 'HEAD');
    t.equal(await git('v1/app.git', 'rev-parse', 'main'), head);

    // Commits of its own make the other clone say much about what it has.
    await runWell('git', ['fast-import', '--quiet'], { cwd: join(directory, 'two'), env, input: aside() });
    await git('two', '-c', 'protocol.version=0', 'fetch', '--quiet', 'origin');
    t.equal(await git('two', 'rev-parse', 'origin/main'), head);
    await git('two', 'merge', '--quiet', '--ff-only', 'origin/main');
    t.ok(readFileSync(join(directory, 'two', 'pushed.bin')).equals(pushed));

    const stats = await lawHolds(t, umbra);
    const mirror = mirrorTo(stats, 'v2');
    t.equal(mirror.completed, v1.requests.length, 'every request was mirrored');
    t.equal(await git('v2/app.git', 'rev-parse', 'main'), head, 'the shadow took the push too');
    await git('v2/app.git', 'fsck', '--strict');
    t.ok(
      v1.requests.some(({ headers }) => headers['transfer-encoding'] === 'chunked'),
      'a push came in chunks',
    );
    t.ok(
      v1.requests.some(({ headers }) => headers['content-encoding'] === 'gzip'),
      'a request body came compressed',
    );
  },
);

/** `commits` commits on main, the last of which adds a large file, as `git fast-import` reads them. */
function history(): Buffer {
  const large = bodyOf(10, 6 * MiB);
  const last = Buffer.concat([
    Buffer.from(`M 100644 inline large.bin\ndata ${large.length}\n`),
    large,
    Buffer.from('\n'),
  ]);
  return Buffer.concat([stream('main', commits, null), last]);
}

/** Commits beside main, whose work tree nobody has. */
function aside(): Buffer {
  return stream('aside', commits, 'refs/heads/main');
}

function stream(branch: string, count: number, from: string | null): Buffer {
  // What is beside main is newer, and so what the client names first.
  const beganS = from === null ? 1_700_000_000 : 1_800_000_000;
  let text = '';
  for (let i = 1; i <= count; i++) {
    text += `commit refs/heads/${branch}\ncommitter a <a@localhost> ${beganS + i} +0000\ndata 1\nc\n`;
    if (i === 1 && from !== null) text += `from ${from}\n`;
    text += `M 100644 inline ${branch}.txt\ndata ${String(i).length}\n${i}\n`;
  }
  return Buffer.from(text);
}
