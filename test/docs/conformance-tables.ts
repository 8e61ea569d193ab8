import { http2Cases } from '../conformance/http2.js';
import { sections } from '../conformance/sections.js';
import type { DocTable } from '../support/doc-table.js';

const cell = ({ verdict, note }: { verdict: string; note?: string | undefined }): string =>
  note === undefined ? verdict : `${verdict}: ${note}`;

/** The tables of docs/conformance.md: every row is a case that test/conformance runs. */
export function conformanceTables(): DocTable[] {
  const tables = sections.map(({ name, cases }) => ({
    name,
    columns: ['what comes', 'RFC', 'asks', 'uws', 'node'],
    rows: cases.map(({ what, rfc, asks, uws, node }) => [what, rfc, asks, cell(uws), cell(node)]),
  }));
  const rows = http2Cases.map((one) => [one.what, one.rfc, one.asks, cell(one)]);
  return [...tables, { name: 'http2', columns: ['what comes', 'RFC', 'asks', 'node'], rows }];
}
