import { execFile } from 'node:child_process';
import { minimal } from '../../config/told.js';
import t from '../../support/tap.js';

function umbra(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['bin/umbra.js', ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

t.test('check reports every problem and exits with 2, or reports that the file is good', async (t) => {
  const directory = t.testdir({ 'bad.yaml': minimal('drian: 1s\nlisten: [x]\n'), 'good.yaml': minimal() });
  const bad = await umbra('check', `${directory}/bad.yaml`);
  t.equal(bad.code, 2);
  t.equal(bad.stdout, '');
  t.equal(bad.stderr.trimEnd().split('\n').length, 2);
  t.ok(bad.stderr.startsWith(`${directory}/bad.yaml:1:1: unknown key \`drian\``));
  t.strictSame(await umbra('check', `${directory}/good.yaml`), {
    code: 0,
    stdout: `${directory}/good.yaml: ok (1 version, 1 route, 0 mirrors)\n`,
    stderr: '',
  });
});

t.test('the program itself starts, checks and exits, without the native front', async (t) => {
  t.match(await umbra('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  t.match(await umbra('check', 'config/example.yaml'), {
    code: 0,
    stdout: 'config/example.yaml: ok (2 versions, 2 routes, 1 mirror)\n',
  });
  t.match(await umbra('check', 'none.yaml'), {
    code: 2,
    stderr: "none.yaml:1:1: can't be read: no such file\n",
  });
});
