/**
 * Where a walk over two documents is. Places are made for each node, so they hold links, and texts only
 * on request.
 */
import type { Tolerance } from '../plan.js';
import type { PathState } from './json-path.js';
import type { DocumentForm, JsonRules } from './json-rules.js';
import type { PlaceRule } from './path-rules.js';

export class Place {
  readonly #parent: Place | null;
  readonly #key: string | number;
  readonly #state: PathState;
  readonly rule: PlaceRule | null;
  /** How near numbers have to be: that of the innermost rule around. */
  readonly tolerance: Tolerance;

  private constructor(
    parent: Place | null,
    key: string | number,
    state: PathState,
    rule: PlaceRule | null,
    tolerance: Tolerance,
  ) {
    this.#parent = parent;
    this.#key = key;
    this.#state = state;
    this.rule = rule;
    this.tolerance = tolerance;
  }

  static root({ paths, tolerance }: JsonRules): Place {
    return new Place(null, '', paths.root, null, tolerance);
  }

  /** Null: whatever is there may differ. */
  child(key: string | number, { paths }: JsonRules): Place | null {
    if (this.#state.length === 0) return new Place(this, key, this.#state, null, this.tolerance);
    const state = paths.step(this.#state, key);
    const rule = paths.at(state);
    if (rule?.ignore === true) return null;
    return new Place(this, key, state, rule, rule?.tolerance ?? this.tolerance);
  }

  isUnordered({ arrays }: JsonRules): boolean {
    return arrays === 'unordered' || this.rule?.unordered === true;
  }

  /** The keys from the root to here. */
  keys(): (string | number)[] {
    const keys: (string | number)[] = [];
    for (let at: Place = this; at.#parent !== null; at = at.#parent) keys.push(at.#key);
    return keys.reverse();
  }

  text(form: DocumentForm, exact: boolean): string {
    return (
      form.root +
      this.keys()
        .map((key) => form.step(key, exact))
        .join('')
    );
  }
}
