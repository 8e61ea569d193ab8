import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isThread, partTimes } from '../../../bench/end-to-end/cpu-profile.js';
import t from '../../support/tap.js';

const frame = (functionName: string, url: string) => ({ functionName, url });

t.test('the time of a profile is reported by room, and what is not umbra by V8 names', async (t) => {
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', '') },
      { id: 2, callFrame: frame('scan', 'file:///home/u/umbra/dist/core/http/scanner.js') },
      { id: 3, callFrame: frame('find', 'file:///home/u/umbra/dist/core/http/codings.js') },
      { id: 4, callFrame: frame('take', 'file:///home/u/umbra/dist/workers/downstream/uws/engine.js') },
      { id: 5, callFrame: frame('onread', 'node:internal/stream_base_commons') },
      { id: 6, callFrame: frame('(program)', '') },
      { id: 7, callFrame: frame('writeBuffer', '') },
      { id: 8, callFrame: frame('', 'file:///home/u/umbra/dist/workers/threads/proxy.js') },
    ],
    samples: [2, 3, 4, 5, 6, 7, 2, 8],
    timeDeltas: [10, 20, 30, 40, 50, 60, 1, 2],
  };
  t.strictSame(Object.fromEntries(partTimes(profile)), {
    'core/http': 31,
    'workers/downstream/uws': 30,
    node: 40,
    '(program)': 50,
    native: 60,
    'workers/threads': 2,
  });
  t.ok(isThread('proxy', profile));
  t.notOk(isThread('shadow', profile));
});

t.test('a profile that Node wrote sums to the time that it took', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-profile-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'busy.js');
  writeFileSync(
    file,
    'const end = Date.now() + 100; while (Date.now() < end) JSON.stringify(process.versions);',
  );
  spawnSync(process.execPath, ['--cpu-prof', `--cpu-prof-dir=${directory}`, file]);
  const written = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'));
  t.equal(written.length, 1);
  const profile = JSON.parse(readFileSync(join(directory, written[0]), 'utf8'));
  const times = partTimes(profile);
  const sumUs = [...times.values()].reduce((sum, us) => sum + us, 0);
  const deltasUs = profile.timeDeltas.reduce((sum: number, us: number) => sum + us, 0);
  t.equal(sumUs, deltasUs);
  t.ok(sumUs >= 50_000, 'most of the 100 ms that it was busy');
  t.ok((times.get('native') ?? 0) + (times.get('(program)') ?? 0) > 0);
});
