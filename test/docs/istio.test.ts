import t from 'tap';
import { kinds } from '../../config/documents/kinds.js';
import { fieldRows } from '../../config/documents/shape.js';
import { readDocument, withTables } from '../support/doc-table.js';
import { istioTables } from './istio-tables.js';

t.test('docs/istio.md has the fields of the code: `npm run docs` writes them', async (t) => {
  const text = readDocument('istio.md');
  t.equal(text, withTables(text, istioTables()));
});

t.test('every field that is ignored or refused says why', async (t) => {
  for (const kind of kinds) {
    for (const { path, fate, note } of fieldRows(kind.document))
      if (fate !== 'supported') t.match(note, /.{10}/, `${kind.name} ${path}`);
  }
});
