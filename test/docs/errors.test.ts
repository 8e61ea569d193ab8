import { errorRows } from '../../core/error-table.js';
import {
  blameOf,
  blameOfDrop,
  blameOfFailure,
  Drop,
  dropOfUnsent,
  drops,
  Failure,
  failures,
} from '../../core/errors.js';
import { RequestFault, requestFaultAnswers } from '../../core/http/request-fault.js';
import { readDocument, withTables } from '../support/doc-table.js';
import t from '../support/tap.js';
import { adminTables } from './admin-tables.js';
import { errorTables } from './error-tables.js';

t.test('docs/errors.md has the tables of the code: `npm run docs` writes them', async (t) => {
  const text = readDocument('errors.md');
  t.equal(text, withTables(text, errorTables()));
});

t.test('docs/admin-api.md has the paths of the description', async (t) => {
  const text = readDocument('admin-api.md');
  t.equal(text, withTables(text, adminTables()));
});

t.test('docs/troubleshooting.md covers every drop, and every failure with a status', async (t) => {
  const page = readDocument('troubleshooting.md');
  const from = page.indexOf('## Copies are dropped');
  const section = page.slice(from, page.indexOf('\n## ', from));
  for (const { code } of drops) t.ok(section.includes(`\`${code}\``), code);
  for (const { kind, code, status } of errorRows())
    if (kind === 'failure' && status !== null) t.ok(page.includes(`\`${code}\``), code);
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

t.test('a reason has one blame, whether a copy was dropped or failed for it', async (t) => {
  for (const { code } of failures) {
    const drop = drops.findIndex((row) => row.code === code);
    if (drop >= 0) t.equal(drops[drop].blame, blameOf(code), code);
  }
  for (const failure of Object.values(Failure)) t.equal(blameOfFailure(failure), failures[failure].blame);
  for (const drop of Object.values(Drop)) t.equal(blameOfDrop(drop), blameOf(drops[drop].code));
});

t.test(
  'a copy that failed before it was sent is dropped for a reason of the same name, or one that exists',
  async (t) => {
    for (const failure of Object.values(Failure)) {
      const drop = dropOfUnsent(failure);
      t.equal(drop === -1 ? null : drops[drop].code, failures[failure].unsent, failures[failure].code);
    }
  },
);

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
