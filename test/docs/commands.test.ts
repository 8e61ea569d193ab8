import { describeCommands } from '../../config/command-line/describe.js';
import { readDocument, withTables } from '../support/doc-table.js';
import t from '../support/tap.js';
import { commandTables } from './command-tables.js';

const text = readDocument('commands.md');

t.test('the page of commands has every command as it is (npm run docs writes it)', async (t) => {
  t.equal(withTables(text, commandTables()), text);
});

t.test('each command has a section that begins with its summary', async (t) => {
  for (const { name, summary } of describeCommands()) {
    const sentence = `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
    t.ok(text.replace(/\s+/g, ' ').includes(`## umbra ${name} ${sentence}`), name);
  }
});
