/** Tables of documents that stand in the code too: `<!-- table NAME -->`, the table, `<!-- end -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface DocTable {
  /** The name in the document's comment. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function pathOf(document: string): string {
  return fileURLToPath(new URL(`../../../docs/${document}`, import.meta.url));
}

export function readDocument(document: string): string {
  return readFileSync(pathOf(document), 'utf8');
}

/** The document with its tables as `tables` has them; throws where it has no place for one. */
export function withTables(text: string, tables: readonly DocTable[]): string {
  let written = text;
  for (const table of tables) {
    const start = `<!-- table ${table.name} -->\n`;
    const from = written.indexOf(start);
    const to = written.indexOf('<!-- end -->', from);
    if (from < 0 || to < 0) throw new Error(`there is no place for the table "${table.name}"`);
    written = `${written.slice(0, from)}${start}\n${rendered(table)}\n${written.slice(to)}`;
  }
  return written;
}

/** Writes the document, if that changes it. */
export function writeTables(document: string, tables: readonly DocTable[]): void {
  const text = readDocument(document);
  const written = withTables(text, tables);
  if (written !== text) writeFileSync(pathOf(document), written);
}

/** Writes each table into the page that has a place for it; throws where none or several have. */
export function writePages(documents: readonly string[], tables: readonly DocTable[]): void {
  for (const [document, ofPage] of tablesByPage(documents, tables)) writeTables(document, ofPage);
}

/** The tables by the page that has a place for them. */
export function tablesByPage(
  documents: readonly string[],
  tables: readonly DocTable[],
): Map<string, DocTable[]> {
  const pages = new Map(documents.map((document): [string, DocTable[]] => [document, []]));
  for (const table of tables) {
    const found = documents.filter((document) =>
      readDocument(document).includes(`<!-- table ${table.name} -->\n`),
    );
    if (found.length !== 1)
      throw new Error(`${found.length} pages have a place for the table "${table.name}"`);
    pages.get(found[0]!)!.push(table);
  }
  return pages;
}

function rendered({ columns, rows }: DocTable): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(columns) + line(columns.map(() => '---')) + rows.map(line).join('');
}
