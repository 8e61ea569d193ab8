import type { Expected } from '../conformance/case.js';
import { sections } from '../conformance/sections.js';
import type { DocTable } from '../support/doc-table.js';

const cell = ({ verdict, note }: Expected): string => (note === undefined ? verdict : `${verdict}: ${note}`);

/** The tables of docs/conformance.md: every row is a case that test/conformance runs. */
export function conformanceTables(): DocTable[] {
  return sections.map(({ name, cases }) => ({
    name,
    columns: ['what comes', 'RFC', 'asks', 'uws', 'node'],
    rows: cases.map(({ what, rfc, asks, uws, node }) => [what, rfc, asks, cell(uws), cell(node)]),
  }));
}
