import { packageVersion } from '../../../config/package-file.js';
import { versionCommand } from '../../../workers/commands/version.js';
import { skipUws } from '../../support/engines.js';
import t from '../../support/tap.js';

async function printed(output: 'text' | 'json'): Promise<string> {
  const lines: string[] = [];
  await versionCommand({ output }, { out: (line) => lines.push(line), err: (line) => lines.push(line) });
  return lines.join('\n');
}

t.test('it names the version, its commit, Node, and the engines that load here', async (t) => {
  const [first, second, third] = (await printed('text')).split('\n');
  t.match(
    first,
    new RegExp(`^umbra ${packageVersion().replaceAll('.', '\\.')}( \\(commit [0-9a-f]{12}(-dirty)?\\))?$`),
  );
  t.ok(second!.startsWith(`Node ${process.versions.node} on ${process.platform} ${process.arch}`), second);
  t.match(third, skipUws === false ? /^engines: node, uws$/ : /^engines: node, but not uws \(.+\)$/);
});

t.test('as JSON it is one object', async (t) => {
  t.match(JSON.parse(await printed('json')), {
    version: packageVersion(),
    node: process.versions.node,
    engines: { node: { loads: true, reason: null }, uws: { loads: skipUws === false } },
  });
});
