import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const child = fileURLToPath(new URL('./fixtures/no-descriptors.js', import.meta.url));
const limited = 'ulimit -n 64 && exec "$0" "$1"';

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
