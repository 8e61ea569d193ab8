/** Describes the schema's issues with a tree, in sentences with positions. */
import type { z } from 'zod';
import { typedScalar } from './environment.js';
import { type ConfigProblem, errorAt } from './problem.js';
import { type Config, configSchema } from './schema.js';
import { didYouMean } from './suggest.js';
import {
  formatPath,
  keyMarkAt,
  ListNode,
  markAt,
  nodeAt,
  type Path,
  plainValue,
  ScalarNode,
  type TreeNode,
} from './tree.js';

/** Keys whose values no message may repeat: the token, and header fields, which may carry credentials. */
const secretPath =
  /(^admin\.token$)|(\.(headers|request|response)\.(set|add)\.)|(\.respond\.headers\.)|(\.match(\[\d+\])?\.(without\.)?(header|cookie|query)\.)/;

interface Issue {
  readonly code: string;
  readonly path: Path;
  readonly message: string;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
}

export type Understood = { config: Config } | { problems: ConfigProblem[] };

/**
 * `understand` checks a tree against the schema. A value from the environment is text at first, and becomes a
 * number or a boolean if the schema expects one. So `percent: ${SHARE}` works, and a token of digits stays
 * text.
 */
export function understand(root: TreeNode): Understood {
  for (;;) {
    const parsed = configSchema.safeParse(plainValue(root));
    if (parsed.success) return { config: parsed.data };
    const issues = flatten(parsed.error.issues, []);
    if (!retype(root, issues)) return { problems: issues.flatMap((issue) => describe(root, issue)) };
  }
}

/** `retype` returns true when it converted a value from the environment, which happens once per value. */
function retype(root: TreeNode, issues: readonly Issue[]): boolean {
  let changed = false;
  for (const issue of issues) {
    const node = nodeAt(root, issue.path);
    if (!(node instanceof ScalarNode) || !node.fromEnvironment || typeof node.value !== 'string') continue;
    const typed = typedScalar(node.value);
    if (typed === null) continue;
    node.value = typed;
    changed = true;
  }
  return changed;
}

/** `flatten` keeps the issues of a union's intended form. A union reports an issue for each of its forms. */
function flatten(issues: readonly z.core.$ZodIssue[], prefix: Path): Issue[] {
  return issues.flatMap((issue): Issue[] => {
    const path = [...prefix, ...(issue.path as Path)];
    if (issue.code === 'invalid_key')
      return issue.issues.map((inner) => ({ code: 'invalid_key', path, message: inner.message }));
    if (issue.code !== 'invalid_union') {
      return [{ ...(issue as Omit<Issue, 'path'>), path }];
    }
    const meant = issue.errors.filter((errors) => !errors.some(isOtherForm));
    if (meant.length !== 1)
      return [{ code: issue.code, path, message: issue.message, values: keywords(issue.errors) }];
    return flatten(meant[0], path);
  });
}

/**
 * `isOtherForm` returns true when a value does not have this form at all, such as a text instead of a
 * mapping.
 */
function isOtherForm(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return issue.errors.every((errors) => errors.some(isOtherForm));
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function keywords(forms: readonly (readonly z.core.$ZodIssue[])[]): unknown[] {
  return forms
    .flat()
    .flatMap((issue) => (issue.code === 'invalid_value' && issue.path.length === 0 ? issue.values : []));
}

function describe(root: TreeNode, issue: Issue): ConfigProblem[] {
  const where = formatPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const keys = knownKeys(configSchema, issue.path);
    return issue.keys!.map((key) => {
      const place = where === '' ? '' : ` in ${where}`;
      const hint =
        key === '<<' ? ' (merge keys are not part of YAML 1.2; write the keys out)' : didYouMean(key, keys);
      return errorAt(keyMarkAt(root, [...issue.path, key]), `unknown key \`${key}\`${place}${hint}`);
    });
  }
  const node = nodeAt(root, issue.path);
  if (node === undefined) {
    const parent = formatPath(issue.path.slice(0, -1));
    const place = parent === '' ? 'the configuration' : parent;
    return [errorAt(markAt(root, issue.path), `${place}: \`${String(issue.path.at(-1))}\` is missing`)];
  }
  const mark = issue.code === 'invalid_key' ? keyMarkAt(root, issue.path) : node.mark;
  const label = where === '' ? 'the configuration' : where;
  return [errorAt(mark, `${label}: ${issue.message}${found(node, issue, where)}`)];
}

/** `found` adds `, found …` to messages that name what was expected. */
function found(node: TreeNode, issue: Issue, where: string): string {
  if (!issue.message.startsWith('expected') || issue.code === 'invalid_key') return '';
  if (!(node instanceof ScalarNode)) {
    const isEmpty = node instanceof ListNode ? node.items.length === 0 : node.entries.size === 0;
    return `, found ${isEmpty ? 'an empty' : 'a'} ${node instanceof ListNode ? 'list' : 'mapping'}`;
  }
  if (node.value === null) return ', found nothing';
  const quotes = typeof node.value !== 'string' && wantsText(issue) ? '; put it in quotes' : '';
  if (secretPath.test(where)) return quotes;
  const words = (issue.values ?? []).filter((word) => typeof word === 'string');
  const hint = typeof node.value === 'string' ? didYouMean(node.value, words) : '';
  return `, found \`${node.written}\`${hint}${quotes}`;
}

/** `wantsText` returns true when quotes around a number or a boolean would make it valid. */
function wantsText(issue: Issue): boolean {
  return /^expected (text|a name|a name, or a mapping .*|a header value)$/.test(issue.message);
}

/** `knownKeys` returns the schema's keys for the mapping at a path. */
function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  const { def } = schema._zod as { def: SchemaDef };
  if (def.type === 'union') return def.options!.flatMap((option) => knownKeys(option, path));
  if (def.type === 'pipe') return knownKeys(def.in!, path);
  if (def.innerType !== undefined) return knownKeys(def.innerType, path);
  const [step, ...rest] = path;
  if (def.type === 'object') {
    if (step === undefined) return Object.keys(def.shape!);
    const inner = Object.hasOwn(def.shape!, step) ? def.shape![step as string] : undefined;
    return inner === undefined ? [] : knownKeys(inner, rest);
  }
  if (step === undefined) return [];
  if (def.type === 'record') return knownKeys(def.valueType!, rest);
  if (def.type === 'array' && typeof step === 'number') return knownKeys(def.element!, rest);
  return [];
}

/** The parts of zod's definitions that lead from a schema to the schemas inside it. */
interface SchemaDef {
  readonly type: string;
  readonly options?: readonly z.core.$ZodType[];
  readonly in?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly valueType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
}
