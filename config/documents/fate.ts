/** What umbra does with a field of a document, and the rows of the table that says so. */
import { anything, type Fate, type Field, type Shape } from './shape.js';

export function supported(shape: Shape, note = ''): Field {
  return { shape, fate: 'carried out', note, required: false };
}

export function required(shape: Shape, note = ''): Field {
  return { shape, fate: 'carried out', note, required: true };
}

export function ignored(note: string): Field {
  return { shape: anything, fate: 'reported', note, required: false };
}

/** `differs` marks a field that umbra handles in another way than its reference. It is reported. */
export function differs(shape: Shape, note: string): Field {
  return { shape, fate: 'reported', note, required: false };
}

export function refused(note: string): Field {
  return { shape: anything, fate: 'refused', note, required: false };
}

/** One row of the table. */
export interface FieldRow {
  /** `spec.http[].mirror.host`. */
  readonly path: string;
  readonly fate: Fate;
  readonly note: string;
}

/**
 * `fieldRows` returns every field below `shape` in the order of its declaration. A shape is listed only under
 * its first path.
 */
export function fieldRows(shape: Shape, path = '', seen = new Map<Shape, string>()): FieldRow[] {
  if (shape.is === 'list') return fieldRows(shape.of, `${path}[]`, seen);
  if (shape.is === 'map') return fieldRows(shape.of, `${path}.*`, seen);
  if (shape.is !== 'fields') return [];
  seen.set(shape, path);
  return Object.entries(shape.fields).flatMap(([name, field]) => {
    const own = path === '' ? name : `${path}.${name}`;
    const inner = innermost(field.shape);
    const before = seen.get(inner);
    const note = before === undefined ? field.note : joined(field.note, `fields as in \`${before}\``);
    const row = { path: own, fate: field.fate, note };
    return before === undefined ? [row, ...fieldRows(field.shape, own, seen)] : [row];
  });
}

function innermost(shape: Shape): Shape {
  return shape.is === 'list' || shape.is === 'map' ? innermost(shape.of) : shape;
}

function joined(note: string, more: string): string {
  return note === '' ? more : `${note}; ${more}`;
}
