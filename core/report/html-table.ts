/** Tables of a report. All text goes through `escapeHtml`. Pure. */
import { escapeHtml } from './html-escape.js';

/** A cell is text, or text with a class. */
export type Cell = string | { readonly text: string; readonly className: string };

export interface Row {
  readonly cells: readonly Cell[];
  readonly className?: string;
  /** The colour of the dot before the first cell; a shadow has a ring. */
  readonly mark?: { readonly place: number; readonly isRing: boolean };
}

/** `htmlTable` names each cell's column in `data-head`, which a phone shows in place of the head. */
export function htmlTable(heads: readonly string[], rows: readonly Row[], className = ''): string {
  const head = heads.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join('');
  const body = rows.map((row) => `<tr${classOf(row.className ?? '')}>${cellsOf(row, heads)}</tr>`).join('');
  return (
    `<div class="scroll" tabindex="0"><table${classOf(className)}><thead><tr>${head}</tr></thead>` +
    `<tbody>${body}</tbody></table></div>`
  );
}

function cellsOf({ cells, mark }: Row, heads: readonly string[]): string {
  return cells
    .map((cell, i) => {
      const { text, className } = typeof cell === 'string' ? { text: cell, className: '' } : cell;
      const named = ` data-head="${escapeHtml(heads[i] ?? '')}"`;
      const dot = i === 0 && mark !== undefined ? dotHtml(mark) : '';
      return `<td${classOf(className)}${named}>${dot}${escapeHtml(text)}</td>`;
    })
    .join('');
}

export function dotHtml({ place, isRing }: { readonly place: number; readonly isRing: boolean }): string {
  return `<i class="dot c${place}${isRing ? ' ring' : ''}"></i>`;
}

function classOf(className: string): string {
  return className === '' ? '' : ` class="${className}"`;
}
