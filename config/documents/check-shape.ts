/**
 * Checks a document's tree against the fields of its kind: reports every fault and every ignored field with
 * its position.
 */
import { type ConfigProblem, errorAt, type Mark, warningAt } from '../problem.js';
import { didYouMean } from '../suggest.js';
import { ListNode, MapNode, ScalarNode, type TreeNode } from '../tree.js';
import { parseDocumentDuration } from './duration.js';
import { anything, type Field, type Shape } from './shape.js';

type FieldsShape = Extract<Shape, { is: 'fields' }>;
type NumberShape = Extract<Shape, { min: number }>;

/**
 * `checkShape` returns errors and warnings together. `name` is the document in messages:
 * `virtualservice/reviews`.
 */
export function checkShape(root: TreeNode, shape: Shape, name: string): ConfigProblem[] {
  const check = new ShapeCheck(name);
  check.look(root, shape, '');
  return check.problems;
}

/** `isAbsent` is true for a field that is null, which Kubernetes treats as absent. */
export function isAbsent(node: TreeNode | undefined): boolean {
  return node === undefined || (node instanceof ScalarNode && node.value === null);
}

class ShapeCheck {
  readonly problems: ConfigProblem[] = [];
  constructor(private readonly name: string) {}

  look(node: TreeNode, shape: Shape, path: string): void {
    if (shape.is === 'anything' || isAbsent(node)) return;
    if (shape.is === 'fields') this.lookAtFields(node, shape, path);
    else if (shape.is === 'list') {
      if (!(node instanceof ListNode)) this.expected(node, path, 'a list');
      else for (const [index, item] of node.items.entries()) this.item(item, shape.of, `${path}[${index}]`);
    } else if (shape.is === 'map') {
      if (!(node instanceof MapNode)) this.expected(node, path, 'a mapping');
      else
        for (const [key, entry] of node.entries) this.item(entry.node, shape.of, `${path}[${quoted(key)}]`);
    } else this.lookAtScalar(node, shape, path);
  }

  /**
   * `item` reports null items: unlike a field, an item of a list or of a mapping can't be left out by null.
   */
  private item(node: TreeNode, shape: Shape, path: string): void {
    if (isAbsent(node) && shape.is !== 'fields') this.expected(node, path, wanted(shape));
    else this.look(node, shape, path);
  }

  private lookAtFields(node: TreeNode, shape: FieldsShape, path: string): void {
    if (!(node instanceof MapNode)) {
      this.expected(node, path, 'a mapping');
      return;
    }
    for (const [key, entry] of node.entries) {
      const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
      const own = path === '' ? key : `${path}.${key}`;
      if (field === undefined) this.unknown(entry.keyMark, key, path, shape);
      else if (!isAbsent(entry.node)) this.lookAtField(entry.node, entry.keyMark, field, own);
    }
    for (const [key, field] of Object.entries(shape.fields)) {
      if (field.required && isAbsent(node.entries.get(key)?.node))
        this.error(node.mark, `\`${key}\` is missing${inPlace(path)}`);
    }
    const given = shape.oneOf.filter((key) => !isAbsent(node.entries.get(key)?.node));
    if (given.length > 1) {
      const mark = node.entries.get(given[1])!.keyMark;
      this.error(
        mark,
        `only one of ${given.map((key) => `\`${key}\``).join(', ')} can be given${inPlace(path)}`,
      );
    }
  }

  private lookAtField(node: TreeNode, mark: Mark, field: Field, path: string): void {
    if (field.fate === 'refused') this.error(mark, `\`${path}\` can't be carried out: ${field.note}`);
    else {
      const what = field.shape === anything ? 'is ignored' : 'is not as in its reference';
      if (field.fate === 'reported')
        this.problems.push(warningAt(mark, `${this.name}: \`${path}\` ${what}: ${field.note}`));
      this.look(node, field.shape, path);
    }
  }

  private lookAtScalar(node: TreeNode, shape: Shape, path: string): void {
    const value = node instanceof ScalarNode ? node.value : undefined;
    const good =
      shape.is === 'text'
        ? typeof value === 'string'
        : shape.is === 'boolean'
          ? typeof value === 'boolean'
          : shape.is === 'duration'
            ? typeof value === 'string' && parseDocumentDuration(value) !== null
            : shape.is === 'word'
              ? typeof value === 'string' &&
                shape.words.includes(shape.anyCase === true ? value.toUpperCase() : value)
              : isNumber(value, shape as NumberShape);
    if (good) return;
    const hint =
      shape.is === 'word' && typeof value === 'string'
        ? didYouMean(value, shape.words)
        : (shape.is === 'text' || shape.is === 'duration') && typeof value !== 'string' && value !== undefined
          ? '; put it in quotes'
          : '';
    this.expected(node, path, wanted(shape), hint);
  }

  private unknown(mark: Mark, key: string, path: string, shape: FieldsShape): void {
    const hint = key === '<<' ? '' : didYouMean(key, Object.keys(shape.fields));
    this.error(mark, `unknown field \`${key}\`${inPlace(path)}${hint}`);
  }

  /** `expected` does not repeat the value, because a header's value may be a secret. */
  private expected(node: TreeNode, path: string, what: string, hint = ''): void {
    this.error(node.mark, `${path === '' ? 'the document' : path}: expected ${what}${hint}`);
  }

  private error(mark: Mark, message: string): void {
    this.problems.push(errorAt(mark, `${this.name}: ${message}`));
  }
}

function inPlace(path: string): string {
  return path === '' ? '' : ` in ${path}`;
}

function isNumber(value: unknown, { is, min, max }: NumberShape): boolean {
  if (typeof value !== 'number' || !(value >= min && value <= max)) return false;
  return is === 'number' || Number.isInteger(value);
}

function wanted(shape: Shape): string {
  switch (shape.is) {
    case 'word':
      return shape.words
        .map((word) => word || '""')
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1');
    case 'duration':
      return 'a duration such as 250ms, 10s or 1m30s';
    case 'boolean':
      return 'true or false';
    case 'number':
      return `a number from ${shape.min} to ${shape.max}`;
    case 'integer':
      return `a whole number from ${shape.min} to ${shape.max}`;
    case 'list':
      return 'a list';
    case 'text':
      return 'text';
    default:
      return 'a mapping';
  }
}

function quoted(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);
}
