/**
 * A reading of JavaScript's regular expressions that grants linear time, for those in the product's own
 * source (`test/core/regular-expressions.test.ts`). It is conservative: it refuses some harmless patterns
 * rather than accept a harmful one.
 *
 * What it grants: at most one place where an endless repetition can give characters back, no repetition that
 * is run again from each of these, and at most `choicesMax` combinations of everything bounded. Matching is
 * then linear in the text.
 */
import { Refusal } from '../../config/units.js';

const patternLengthMax = 1024;
const groupDepthMax = 32;
/** Repetitions with a larger maximum count as endless. */
const boundedRepetitionMax = 16;
const repetitionMax = 1000;
/**
 * Combinations of bounded choices (optional parts, alternatives that begin alike) that matching may have to
 * try.
 */
const choicesMax = 256;

export function parseRegex(pattern: string): string | Refusal {
  if (pattern.length > patternLengthMax) return new Refusal(`is longer than ${patternLengthMax} characters`);
  try {
    new RegExp(pattern);
  } catch (error) {
    // V8 repeats the pattern in its message; the reason stands behind the last colon.
    const reason =
      error instanceof Error ? error.message.slice(error.message.lastIndexOf(': ') + 2) : 'unknown';
    return new Refusal(`is not a regular expression: ${reason}`);
  }
  const reading = new PatternReader(pattern);
  const cost = reading.alternatives(0);
  return reading.refusal ?? tooCostly(cost) ?? pattern;
}

/** What a part of a pattern can make the engine try again. */
interface Cost {
  /**
   * Endless repetitions whose end is not fixed by the character that follows, or that one before them can
   * start again.
   */
  endless: number;
  /** Endless repetitions that run once over the text and give nothing back. */
  scans: number;
  /** Combinations of bounded choices. */
  choices: number;
  /** Holds any repetition of variable length, or alternatives that begin alike. */
  variable: boolean;
  /** The characters that the part can begin with, when it is one literal character; else null. */
  first: string | null;
}

interface Quantifier {
  readonly min: number;
  readonly max: number;
}

function tooCostly(cost: Cost): Refusal | null {
  if (cost.choices > choicesMax)
    return new Refusal('has too many optional parts: it can be matched in too many ways');
  if (cost.endless > 1) {
    return new Refusal(
      "has several endless repetitions that can take the same characters, so a client could make it very slow; keep one, or let each end at a character that it can't match, as in [^/]+/",
    );
  }
  return null;
}

/** Walks a pattern that `RegExp` has accepted, so that its syntax needs no second check. */
class PatternReader {
  refusal: Refusal | null = null;
  private readonly pattern: string;
  private at = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  /** Up to the closing parenthesis or the end. */
  alternatives(depth: number): Cost {
    if (depth > groupDepthMax) this.refuse(`has groups more than ${groupDepthMax} deep`);
    const branches: Cost[] = [];
    do {
      branches.push(this.sequence(depth));
    } while (this.refusal === null && this.take('|'));
    if (branches.length === 1) return branches[0];
    const total: Cost = { endless: 0, scans: 0, choices: 0, variable: false, first: null };
    for (const branch of branches) {
      total.endless += branch.endless;
      total.scans += branch.scans;
      total.choices += branch.choices;
      total.variable ||= branch.variable;
    }
    const firsts = branches.map((branch) => branch.first);
    const tellApart = !firsts.includes(null) && new Set(firsts).size === firsts.length;
    if (tellApart) total.choices = Math.max(...branches.map((branch) => branch.choices));
    else total.variable = true;
    return total;
  }

  private sequence(depth: number): Cost {
    const total: Cost = { endless: 0, scans: 0, choices: 1, variable: false, first: null };
    let first = true;
    while (this.refusal === null && this.at < this.pattern.length && !/[|)]/.test(this.pattern[this.at])) {
      const start = this.at;
      const { cost, simple } = this.atom(depth);
      const source = this.pattern.slice(start, this.at);
      const quantifier = this.quantifier();
      if (first) total.first = quantifier.min > 0 ? cost.first : null;
      first = false;
      this.addRepeated(total, cost, simple ? source : null, quantifier);
    }
    return total;
  }

  /** `simple`: the source of an atom that matches one character, null for a group. */
  private addRepeated(total: Cost, cost: Cost, simple: string | null, quantifier: Quantifier): void {
    const variable = quantifier.max > quantifier.min;
    if (quantifier.max > 1 && cost.variable) {
      this.refuse(
        'repeats a part that can itself match in several ways (nested repetition), so a client could make it extremely slow',
      );
    }
    if (
      quantifier.min > repetitionMax ||
      (quantifier.max > repetitionMax && quantifier.max !== Number.POSITIVE_INFINITY)
    ) {
      this.refuse(`repeats something more than ${repetitionMax} times`);
    }
    total.endless += cost.endless + (total.endless > 0 ? cost.scans : 0);
    total.scans += cost.scans;
    total.choices *= cost.choices;
    total.variable ||= cost.variable || variable;
    // At the end `.` takes all that is left (targets and field values hold no line breaks) and gives nothing
    // back.
    if (!variable || (simple === '.' && this.isAtEnd())) return;
    const endless = quantifier.max > boundedRepetitionMax;
    if (simple !== null && (this.isAtEnd() || this.endIsFixed(simple))) {
      if (endless && total.endless > 0) total.endless++;
      else if (endless) total.scans++;
    } else if (endless) total.endless++;
    else total.choices *= quantifier.max - quantifier.min + 1;
  }

  /**
   * Whether the whole text must have been matched here. What is given back here fails at once, one character
   * at a time.
   */
  private isAtEnd(): boolean {
    return (
      this.at === this.pattern.length ||
      (this.pattern[this.at] === '$' && this.at === this.pattern.length - 1)
    );
  }

  /**
   * Whether nothing could be gained by giving characters back: the pattern continues with a character that
   * the atom can't match.
   */
  private endIsFixed(atom: string): boolean {
    const next = literalAt(this.pattern, this.at);
    return (
      next !== null && !isOptionalAt(this.pattern, next.end) && !new RegExp(`^(?:${atom})$`).test(next.text)
    );
  }

  private atom(depth: number): { cost: Cost; simple: boolean } {
    const cost: Cost = { endless: 0, scans: 0, choices: 1, variable: false, first: null };
    const start = this.at;
    if (this.take('(')) {
      if (this.take('?')) this.groupKind();
      const inner = this.alternatives(depth + 1);
      this.at++;
      return { cost: inner, simple: false };
    }
    if (this.take('[')) {
      while (this.pattern[this.at] !== ']') this.at += this.pattern[this.at] === '\\' ? 2 : 1;
      this.at++;
      return { cost, simple: true };
    }
    if (this.take('\\')) return { cost, simple: this.escape(start, cost) };
    const anchor = this.pattern[this.at] === '^' || this.pattern[this.at] === '$';
    cost.first = literalAt(this.pattern, this.at)?.text ?? null;
    this.at++;
    return { cost, simple: !anchor };
  }

  /** What follows `(?`: `:`, a look-around or a name. */
  private groupKind(): void {
    if (this.take('<')) {
      if (this.take('=') || this.take('!')) return;
      this.at = this.pattern.indexOf('>', this.at) + 1;
      return;
    }
    if (!/[:=!]/.test(this.pattern[this.at]))
      this.refuse('uses a kind of group that is not supported: use (…), (?:…), (?=…) or (?!…)');
    this.at++;
  }

  private escape(start: number, cost: Cost): boolean {
    const character = this.pattern[this.at++];
    if (/[1-9k]/.test(character)) {
      this.refuse('refers back to a group, which can make matching extremely slow');
      return false;
    }
    if (character === 'x') this.at += 2;
    else if (character === 'u') this.at += this.pattern[this.at] === '{' ? 0 : 4;
    else if (character === 'c') this.at++;
    if (character === 'b' || character === 'B') return false;
    cost.first = literalAt(this.pattern, start)?.text ?? null;
    return true;
  }

  private quantifier(): Quantifier {
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.pattern.slice(this.at, this.at + 32));
    if (found === null) return { min: 1, max: 1 };
    this.at += found[0].length;
    if (found[1] !== undefined)
      return { min: found[1] === '+' ? 1 : 0, max: found[1] === '?' ? 1 : Number.POSITIVE_INFINITY };
    const min = Number(found[2]);
    if (found[3] === undefined) return { min, max: min };
    return { min, max: found[4] === '' ? Number.POSITIVE_INFINITY : Number(found[4]) };
  }

  private take(character: string): boolean {
    if (this.pattern[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private refuse(reason: string): void {
    this.refusal ??= new Refusal(reason);
    // Ends every loop.
    this.at = this.pattern.length;
  }
}

/** The literal character at an offset: itself, or an escaped punctuation mark. */
function literalAt(pattern: string, at: number): { text: string; end: number } | null {
  const character = pattern[at];
  if (character === undefined || /[.[({*+?^$|)]/.test(character)) return null;
  if (character !== '\\') return { text: character, end: at + 1 };
  const escaped = pattern[at + 1];
  return /[A-Za-z0-9]/.test(escaped) ? null : { text: escaped, end: at + 2 };
}

/** Whether what ends here may also be absent. */
function isOptionalAt(pattern: string, at: number): boolean {
  return /^(?:[*?]|\{0)/.test(pattern.slice(at, at + 2));
}
