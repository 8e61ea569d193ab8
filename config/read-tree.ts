/**
 * Reads YAML text (JSON is YAML) into a tree with positions. The text may be hostile: its size, its nesting
 * and the values that its aliases expand to are bounded, and no input makes this throw.
 */

import type { Node, Pair, Range } from 'yaml';
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  Scalar,
} from 'yaml';
import { limits } from '../core/limits.js';
import { mentionsEnvironment, substitute } from './environment.js';
import { type ConfigProblem, errorAt, type Mark } from './problem.js';
import { ListNode, MapNode, ScalarNode, type ScalarValue, type TreeNode } from './tree.js';
import { Refusal } from './units.js';

export interface ReadTree {
  /** Null when no tree could be read. */
  readonly root: TreeNode | null;
  readonly problems: ConfigProblem[];
}

type MarkOf = (offset: number) => Mark;

/** The number of faults of one kind that are collected. A text with more is not YAML. */
const faultsMax = 1000;
/** Characters of a value that a message repeats. */
const writtenLengthMax = 60;

/** `readTree` reads a whole file. */
export function readTree(text: string, file: string, env: NodeJS.ProcessEnv): ReadTree {
  const lines = new LineCounter();
  return read(text, lines, markIn(lines, file), env);
}

export interface ReadTrees {
  /** The roots of all YAML documents that are not empty. The list is incomplete when there are problems. */
  readonly roots: TreeNode[];
  readonly problems: ConfigProblem[];
}

/** `readTrees` reads a file with several YAML documents literally: `${NAME}` is not substituted. */
export function readTrees(text: string, file: string): ReadTrees {
  const lines = new LineCounter();
  const markOf = markIn(lines, file);
  if (Buffer.byteLength(text) > limits.documentBytes) {
    const problem = errorAt(markOf(0), `is larger than ${limits.documentBytes} bytes`);
    return { roots: [], problems: [problem] };
  }
  const documents = compose(text, lines, markOf);
  if (!Array.isArray(documents)) return { roots: [], problems: [documents] };
  const problems = documents.flatMap((document) => faultsOf(document, markOf)).slice(0, faultsMax);
  if (problems.length > 0) return { roots: [], problems };
  const budget: Budget = { values: 0, valuesMax: limits.documentValues };
  const roots: TreeNode[] = [];
  for (const { contents } of documents) {
    if (contents === null || (isScalar(contents) && contents.value === null)) continue;
    // Anchors belong to one document, but the bound on values covers all of them.
    const reader = new TreeReader(text, markOf, null, budget);
    roots.push(reader.read(contents));
    problems.push(...reader.problems);
    if (reader.abandoned) break;
  }
  return { roots, problems: problems.slice(0, faultsMax) };
}

/** `readValue` reads a value that is in no file, so everything in it has the same position. */
export function readValue(text: string, mark: Mark, env: NodeJS.ProcessEnv): ReadTree {
  return read(text, new LineCounter(), () => mark, env);
}

function markIn(lines: LineCounter, file: string): MarkOf {
  return (offset) => {
    const { line, col } = lines.linePos(offset);
    // An offset in an empty text has no line.
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
}

function read(text: string, lines: LineCounter, markOf: MarkOf, env: NodeJS.ProcessEnv): ReadTree {
  if (Buffer.byteLength(text) > limits.configBytes) {
    return failed(markOf(0), `is larger than ${limits.configBytes} bytes`);
  }
  const documents = compose(text, lines, markOf);
  if (!Array.isArray(documents)) return { root: null, problems: [documents] };
  const document = documents[0];
  const problems = faultsOf(document, markOf);
  if (documents.length > 1) {
    problems.push(
      errorAt(markOf(documents[1].range[0]), 'a second YAML document starts here: one file is one document'),
    );
  }
  if (problems.length > 0) return { root: null, problems };
  const reader = new TreeReader(text, markOf, env, { values: 0, valuesMax: limits.configValues });
  const root = document.contents === null ? null : reader.read(document.contents);
  return { root: reader.abandoned ? null : root, problems: reader.problems };
}

function faultsOf(document: Document.Parsed, markOf: MarkOf): ConfigProblem[] {
  const faults = [...document.errors.slice(0, faultsMax), ...document.warnings.slice(0, faultsMax)];
  return faults.map((fault) => {
    const message = fault.message.split('\n', 1)[0];
    return errorAt(markOf(fault.pos[0]), `YAML: ${message}`);
  });
}

/** The number of values that were read, and its bound. */
interface Budget {
  values: number;
  readonly valuesMax: number;
}

/**
 * `compose` runs the two stages of `parseDocument` separately. The parser keeps its nesting on its own stack,
 * but the composer uses the call stack. A thousand `[` would exhaust that stack, and V8 then ends the process
 * from inside a regular expression, so depth is bounded between the stages. The composer's own search for
 * repeated keys is quadratic and therefore off; `TreeReader` uses a set.
 */
function compose(text: string, lines: LineCounter, markOf: MarkOf): Document.Parsed[] | ConfigProblem {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens = [];
  let faults = 0;
  for (const source of new Lexer().lex(text)) {
    for (const token of parser.next(source)) {
      if (token.type === 'error') faults++;
      if (faults < faultsMax) tokens.push(token);
    }
    if (faults >= faultsMax) break;
    if (parser.stack.length > limits.configDepth) {
      return errorAt(markOf(parser.offset), `is nested more than ${limits.configDepth} levels deep`);
    }
  }
  for (const token of parser.end()) tokens.push(token);
  const composer = new Composer({ version: '1.2', schema: 'core', uniqueKeys: false, strict: true });
  // Every fault is an Error. A hostile text has half a million of them, and their stacks are most of the
  // cost.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return [...composer.compose(tokens, true, text.length)] as Document.Parsed[];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

class TreeReader {
  readonly problems: ConfigProblem[] = [];
  /** A bound was reached, and the tree is incomplete. */
  abandoned = false;
  private readonly text: string;
  private readonly markOf: MarkOf;
  /** Null: nothing is substituted. */
  private readonly env: NodeJS.ProcessEnv | null;
  private readonly budget: Budget;
  /**
   * Anchors in the order of the text, as YAML requires: an alias refers to the latest anchor before it.
   * (`Alias.resolve` searches the whole document.)
   */
  private readonly anchors = new Map<string, Node>();
  /** Nodes that are being read. An alias to one of them would never end. */
  private readonly open = new Set<Node>();

  constructor(text: string, markOf: MarkOf, env: NodeJS.ProcessEnv | null, budget: Budget) {
    this.text = text;
    this.markOf = markOf;
    this.env = env;
    this.budget = budget;
  }

  read(node: Node): TreeNode {
    const mark = this.markOf(startOf(node));
    const { budget } = this;
    if (++budget.values > budget.valuesMax) {
      if (!this.abandoned) this.fail(mark, `holds more than ${budget.valuesMax} values, aliases expanded`);
      this.abandoned = true;
    }
    if (this.abandoned) return new ScalarNode(mark, null, '', false);
    if (isAlias(node)) return this.readAlias(node.source, mark);
    if (node.anchor !== undefined) this.anchors.set(node.anchor, node);
    if (isScalar(node)) return this.readScalar(node, mark);
    this.open.add(node);
    const read = isSeq(node) ? this.readList(node.items as Node[], mark) : this.readMap(node, mark);
    this.open.delete(node);
    return read;
  }

  private readAlias(name: string, mark: Mark): TreeNode {
    const target = this.anchors.get(name);
    if (target !== undefined && !this.open.has(target)) return this.read(target);
    const why = target === undefined ? 'is not an anchor before this place' : 'contains itself';
    this.fail(mark, `alias \`*${name}\`: \`&${name}\` ${why}`);
    return new ScalarNode(mark, null, '', false);
  }

  private readList(items: readonly Node[], mark: Mark): ListNode {
    const list = new ListNode(mark);
    for (const item of items) list.items.push(this.read(item));
    return list;
  }

  private readMap(node: Node, mark: Mark): TreeNode {
    const map = new MapNode(mark);
    if (!isMap(node)) return map;
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const keyMark = this.markOf(startOf(pair.key));
      const key = keyText(pair.key);
      if (key === null) this.fail(keyMark, 'a key must be plain text');
      else if (key === '__proto__') this.fail(keyMark, '`__proto__` can not be a key');
      else if (map.entries.has(key)) {
        const first = map.entries.get(key)!.keyMark;
        this.fail(keyMark, `\`${clip(key)}\` is given twice; the first is at line ${first.line}`);
      } else {
        const value = pair.value === null ? new ScalarNode(keyMark, null, '', false) : this.read(pair.value);
        map.entries.set(key, { keyMark, node: value });
      }
    }
    return map;
  }

  private readScalar(node: Scalar, mark: Mark): ScalarNode {
    const [start, end] = node.range as Range;
    const written = clip(this.text.slice(start, end));
    if (this.env === null || typeof node.value !== 'string' || !mentionsEnvironment(node.value)) {
      return new ScalarNode(mark, node.value as ScalarValue, written, false);
    }
    const value = substitute(node.value, this.env);
    if (value instanceof Refusal) {
      this.fail(mark, `\`${written}\` ${value.reason}`);
      return new ScalarNode(mark, node.value, written, true);
    }
    return new ScalarNode(mark, value, written, true);
  }

  private fail(mark: Mark, message: string): void {
    if (this.problems.length < faultsMax) this.problems.push(errorAt(mark, message));
  }
}

/**
 * `keyText` returns the key as written, so that the version `1.10` keeps its zero, or null when it is not a
 * scalar.
 */
function keyText(key: Node): string | null {
  if (!isScalar(key) || key.anchor !== undefined) return null;
  if (key.type === Scalar.PLAIN) return key.source || null;
  return typeof key.value === 'string' && key.value !== '' ? key.value : null;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function clip(text: string): string {
  const line = text.trim().split('\n', 1)[0].trimEnd();
  return line.length <= writtenLengthMax && line.length === text.trim().length
    ? line
    : `${line.slice(0, writtenLengthMax)}…`;
}

function failed(mark: Mark, message: string): ReadTree {
  return { root: null, problems: [errorAt(mark, message)] };
}
