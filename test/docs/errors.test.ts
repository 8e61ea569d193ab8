import t from 'tap';
import { Drop, drops, errorRows, Failure, failures } from '../../core/errors.js';
import { RequestFault, requestFaultAnswers } from '../../core/http/request-fault.js';
import { readDocument, withTables } from '../support/doc-table.js';
import { errorTables } from './error-tables.js';

t.test('docs/errors.md has the tables of the code: `npm run docs` writes them', async (t) => {
  const text = readDocument('errors.md');
  t.equal(text, withTables(text, errorTables()));
});

t.test('each code is the index of its row', async (t) => {
  const names = (codes: Readonly<Record<string, number>>): string[] =>
    Object.entries(codes)
      .sort(([, a], [, b]) => a - b)
      .map(([name, index], at) => {
        t.equal(index, at, name);
        return name.toLowerCase().replaceAll('_', '-');
      });
  t.strictSame(
    names(Failure),
    failures.map(({ code }) => code),
  );
  t.strictSame(
    names(Drop),
    drops.map(({ code }) => code),
  );
  t.strictSame(
    names(RequestFault),
    requestFaultAnswers.map(({ code }) => code),
  );
});

t.test('every row is whole: a status with a text of one line, a sentence, a counter', async (t) => {
  const rows = errorRows();
  t.equal(new Set(rows.map(({ kind, code }) => `${kind} ${code}`)).size, rows.length);
  for (const { kind, code, status, text, when, counters } of rows) {
    t.match(when, /^.+\.$/, `${kind} ${code}`);
    if (kind === 'refusal' && code === 'fault') t.equal(status, null, 'its status is the route’s');
    else t.equal(status === null, text === null);
    if (status !== null) {
      t.ok(status >= 400 && status <= 599);
      t.match(text, /^[^\r\n]+\n$/);
    }
    t.ok(counters.every((counter) => /^umbra_[a-z_]+_total(\{reason="[a-z-]+"\})?$/.test(counter)));
    t.ok(counters.length > 0);
  }
});
