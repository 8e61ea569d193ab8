// Runs over one engine: commands have no engine.
import { readFileSync } from 'node:fs';
import { packageFile } from '../../config/package-file.js';
import t from '../support/tap.js';
import { runNodeToEnd } from '../support/umbra.js';

/** What `node` says of itself is all that is looked at. */
function claiming(version: string): string[] {
  const script = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
}

for (const version of ['18.19.0', '20.14.0']) {
  t.test(`Node ${version} gets one line that says what is needed, and exit code 2`, async (t) => {
    const { code, out, err } = await runNodeToEnd(claiming(version), '--version');
    t.equal(code, 2);
    t.equal(out, '');
    t.match(err, /^umbra needs Node 20\.15 or later, and this is Node [\d.]+ \(.+\)\. Install .+\n$/);
    t.match(err, version);
  });
}

t.test('the version that is asked for is that of the package', async (t) => {
  const { engines, version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    engines: { node: string };
    version: string;
  };
  t.equal(engines.node, '>=20.15');
  const { code, out } = await runNodeToEnd(claiming('20.15.0'), '--version');
  t.strictSame([code, out.trim()], [0, version]);
});
