import { causes } from '../../core/endpoint-cause.js';
import { type ErrorRow, errorRows } from '../../core/error-table.js';
import type { DocTable } from '../support/doc-table.js';

const retries = {
  no: 'no',
  'other-endpoint': 'yes: each other endpoint once',
  'fresh-connection':
    'once, on a new connection, for idempotent methods whose reused one died before a byte of the response',
} as const;

const code = (text: string): string => `\`${text}\``;

/** The tables of docs/errors.md. */
export function errorTables(): DocTable[] {
  const rows = errorRows();
  const of = (kind: ErrorRow['kind']): ErrorRow[] => rows.filter((row) => row.kind === kind);
  return [
    {
      name: 'failures',
      columns: ['reason', 'status', 'whose', 'again?', 'flag', 'text', 'when'],
      rows: of('failure').map((row) => [
        code(row.code),
        row.status === null ? '(copies alone)' : String(row.status),
        row.source,
        retries[row.retry],
        code(row.flag!),
        row.text?.trimEnd() ?? '',
        row.when,
      ]),
    },
    {
      name: 'causes',
      columns: ['cause', 'the log says', 'errors'],
      rows: causes.map(({ code: name, words, errors }) => [
        code(name),
        words,
        errors.map((error) => code(error)).join(', '),
      ]),
    },
    {
      name: 'drops',
      columns: ['reason', 'whose', 'when'],
      rows: of('drop').map((row) => [code(row.code), row.source, row.when]),
    },
    {
      name: 'refusals',
      columns: ['fault', 'status', 'counter', 'text', 'when'],
      rows: of('refusal').map((row) => [
        code(row.code),
        row.status === null ? 'as the route says' : String(row.status),
        row.counters.map(code).join(', '),
        row.text!.trimEnd(),
        row.when,
      ]),
    },
  ];
}
