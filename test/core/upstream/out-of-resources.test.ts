import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { missing } from '../../support/command.js';
import t from '../../support/tap.js';

const child = fileURLToPath(new URL('./fixtures/no-descriptors.js', import.meta.url));
const ports = fileURLToPath(new URL('./fixtures/no-ports.js', import.meta.url));
const isolated = 'ip link set lo up && exec "$0" "$1"';
const limited = 'ulimit -n 64 && exec "$0" "$1"';

/** Whether an ordinary user may have a network with settings of its own, as most Linux systems allow. */
async function hasOwnNetwork(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const end = promisify(execFile)('unshare', ['-rn', 'true']);
  return end.then(
    () => true,
    () => false,
  );
}

t.test(
  'without descriptors a request fails as out-of-resources, and no endpoint is ejected',
  { skip: process.platform === 'win32' && 'there are no limits of descriptors' },
  async (t) => {
    const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, child]);
    t.strictSame(JSON.parse(stdout), {
      failures: ['', 'out-of-resources', ''],
      shortages: 1,
      ejections: 0,
    });
  },
);

t.test(
  'without local ports a request fails as out-of-resources, and no endpoint is ejected',
  { skip: missing('ip') || !(await hasOwnNetwork()) },
  async (t) => {
    const words = ['-rn', 'sh', '-c', isolated, process.execPath, ports];
    const { stdout } = await promisify(execFile)('unshare', words);
    t.strictSame(JSON.parse(stdout), { failure: 'out-of-resources', shortages: 1, ejections: 0 });
  },
);
