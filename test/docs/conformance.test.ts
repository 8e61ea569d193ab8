import { sections } from '../conformance/sections.js';
import { readDocument, withTables } from '../support/doc-table.js';
import t from '../support/tap.js';
import { conformanceTables } from './conformance-tables.js';

t.test('docs/conformance.md has the cases of test/conformance: `npm run docs` writes them', async (t) => {
  const text = readDocument('conformance.md');
  t.equal(text, withTables(text, conformanceTables()));
});

t.test('every case has a name of its own', async (t) => {
  const names = sections.flatMap(({ cases }) => cases.map(({ what }) => what));
  t.equal(new Set(names).size, names.length);
});
