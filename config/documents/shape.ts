/**
 * The fields of a kind of document, and how umbra handles each. The check of documents (`check-shape.ts`) and
 * the table in docs/istio.md are both made from this, so that page and code agree.
 */

export type Shape =
  | { readonly is: 'text' | 'duration' | 'boolean' | 'anything' }
  | { readonly is: 'number' | 'integer'; readonly min: number; readonly max: number }
  | { readonly is: 'word'; readonly words: readonly string[]; readonly anyCase?: boolean }
  | { readonly is: 'list' | 'map'; readonly of: Shape }
  | { readonly is: 'fields'; readonly fields: Fields; readonly oneOf: readonly string[] };

export type Fields = Readonly<Record<string, Field>>;

/** A reported field gives a warning with the reason; a refused one gives an error. */
export type Fate = 'carried out' | 'reported' | 'refused';

export interface Field {
  readonly shape: Shape;
  readonly fate: Fate;
  /** The last column of the table: the resulting key, or the reason why the field is reported or refused. */
  readonly note: string;
  readonly required: boolean;
}

export const text: Shape = { is: 'text' };
/** `1h30m`, `250ms`, `1.5s`. */
export const duration: Shape = { is: 'duration' };
export const boolean: Shape = { is: 'boolean' };
export const anything: Shape = { is: 'anything' };
export const percent: Shape = { is: 'number', min: 0, max: 100 };
export const port: Shape = { is: 'integer', min: 1, max: 65_535 };
/** uint32 without a bound of its own. */
export const count: Shape = { is: 'integer', min: 0, max: 2 ** 31 - 1 };

export function integer(min: number, max: number): Shape {
  return { is: 'integer', min, max };
}

export function word(...words: string[]): Shape {
  return { is: 'word', words };
}

/** `wordInAnyCase` accepts capital words, which documents write in any case. */
export function wordInAnyCase(...words: string[]): Shape {
  return { is: 'word', words, anyCase: true };
}

export function listOf(of: Shape): Shape {
  return { is: 'list', of };
}

export function mapOf(of: Shape): Shape {
  return { is: 'map', of };
}

/** `fields` describes a mapping. At most one of the names in `oneOf` may be given. */
export function fields(fields: Fields, oneOf: readonly string[] = []): Shape {
  return { is: 'fields', fields, oneOf };
}

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
