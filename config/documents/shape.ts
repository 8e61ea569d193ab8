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
