import { type FieldRow, fieldRows } from '../../config/documents/fate.js';
import { metadata } from '../../config/documents/kinds/metadata.js';
import { type Kind, kinds } from '../../config/documents/kinds.js';
import type { DocTable } from '../support/doc-table.js';

const columns = ['field', '', 'what becomes of it'];

/** The tables of docs/istio.md: every field of every kind, from what documents are checked with. */
export function istioTables(): DocTable[] {
  return [
    { name: 'metadata', columns, rows: rowsOf(fieldRows(metadata, 'metadata')) },
    ...kinds.map((kind) => ({ name: kind.name, columns, rows: rowsOf(kindRows(kind)) })),
  ];
}

function kindRows(kind: Kind): FieldRow[] {
  return fieldRows(kind.spec, 'spec');
}

function rowsOf(rows: readonly FieldRow[]): string[][] {
  return rows.map(({ path, fate, note }) => [`\`${path}\``, fate, note]);
}
