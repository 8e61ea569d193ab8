/** A rule of an HTTPRoute or a GRPCRoute: its filters, backends and mirrors. */
import type { Mark } from '../problem.js';
import type { TreeNode } from '../tree.js';
import { type Document, errorOf, warnOf } from './document.js';
import type { Draft, Mapping } from './draft.js';
import { type Growth, grow } from './grow.js';
import { modifications } from './header-modifiers.js';
import { wholeHost } from './host-name.js';
import { at, itemsAt, keyMark, numberAt, textAt } from './look.js';
import { type Chosen, shareNode, splitOf } from './parts.js';

/** What answers in place of a backend that is missing. */
export interface MissingBackend {
  /** The HTTP status. */
  readonly respond: number;
  /** The status in words of the kind. */
  readonly called: string;
}

export abstract class GatewayRule {
  protected abstract readonly missing: MissingBackend;

  constructor(
    protected readonly document: Document,
    protected readonly mapping: Mapping,
    protected readonly rule: TreeNode,
  ) {}

  protected filtersOf(filters: readonly TreeNode[], key: string): TreeNode[] {
    return filters.flatMap((filter) => at(filter, key) ?? []);
  }

  protected filters(): readonly TreeNode[] {
    return [...itemsAt(this.rule, 'filters'), ...this.filtersOfBackend()];
  }

  /** `checkFilters` requires the key that belongs to each filter's type, and each of `once` once at most. */
  protected checkFilters(filters: readonly TreeNode[], once: readonly string[]): void {
    for (const filter of filters) this.checkFilter(filter);
    for (const key of once) {
      const [, second] = this.filtersOf(filters, key);
      if (second !== undefined) this.error(second.mark, `only one \`${key}\` is possible in a rule`);
    }
  }

  /**
   * `filtersOfBackend` returns the filters of a backend that are not header modifiers. With one backend they
   * apply to the rule.
   */
  protected filtersOfBackend(): readonly TreeNode[] {
    const refs = itemsAt(this.rule, 'backendRefs');
    const others = refs.flatMap((ref) =>
      itemsAt(ref, 'filters').filter((filter) => !isHeaderModifier(filter)),
    );
    if (refs.length === 1 || others.length === 0) return others;
    this.error(others[0].mark, 'filters: besides header modifiers only where the rule has one backend');
    return [];
  }

  protected checkFilter(filter: TreeNode): void {
    const type = textAt(filter, 'type') ?? '';
    const key = type === 'CORS' ? 'cors' : type.startsWith('URL') ? `url${type.slice(3)}` : lowerFirst(type);
    if (type !== '' && at(filter, key) === undefined)
      this.error(filter.mark, `a filter of type ${type} needs \`${key}\``);
  }

  /**
   * `split` returns null when there is nothing to forward to. The share of backends that are missing is
   * answered as `missing` says.
   */
  protected split(): Draft['body'] | null {
    const refs = itemsAt(this.rule, 'backendRefs');
    let missing = 0;
    const chosen: Chosen[] = refs.flatMap((ref) => {
      const weight = numberAt(ref, 'weight') ?? 1;
      const version = this.version(ref);
      if (version === null) missing += weight;
      if (version === null) return [];
      const filters = itemsAt(ref, 'filters').filter(isHeaderModifier);
      for (const filter of filters) this.checkFilter(filter);
      const part = (key: string) =>
        filters.map((filter) => at(filter, key)).find((node) => node !== undefined);
      const headers = modifications(part('requestHeaderModifier'), part('responseHeaderModifier'), ref.mark);
      return [{ version, weight, mark: ref.mark, headers }];
    });
    const present = chosen.reduce((sum, { weight }) => sum + weight, 0);
    if (present === 0) return null;
    const split = splitOf(chosen);
    if (typeof split === 'string') {
      this.error(keyMark(this.rule, 'backendRefs'), `backendRefs: ${split}`);
      return {};
    }
    if (missing === 0) return split;
    const percent = shareNode(this.rule, (missing / (missing + present)) * 100);
    return { ...split, fault: grow(this.rule.mark, { abort: { percent, status: this.missing.respond } }) };
  }

  /** `version` returns null for a missing backend, which it reports. */
  protected version(ref: TreeNode): string | null {
    const { document, mapping } = this;
    const namespace = textAt(ref, 'namespace') ?? document.namespace;
    const node = at(ref, 'name');
    const name = textAt(node) ?? '';
    if ((textAt(ref, 'group') ?? '') !== '' || (textAt(ref, 'kind') ?? 'Service') !== 'Service') {
      this.warn(
        ref.mark,
        `the backend \`${name}\` is not a Service: its share is answered ${this.missing.called}`,
      );
      return null;
    }
    if (!mapping.grants.permit(document, namespace, name)) {
      this.warn(
        ref.mark,
        `the backend \`${namespace}/${name}\` needs a ReferenceGrant: its share is answered ${this.missing.called}`,
      );
      return null;
    }
    return mapping.destinations.version(document, {
      host: wholeHost(name, namespace),
      subset: undefined,
      port: numberAt(ref, 'port'),
      mark: (node ?? ref).mark,
      isLenient: true,
      isGrpc: document.kind.name === 'GRPCRoute',
    });
  }

  protected mirrors(filters: readonly TreeNode[]): Growth | undefined {
    const mirrors = filters.flatMap((filter): Growth[] => {
      const ref = at(filter, 'backendRef');
      const version = ref === undefined ? null : this.version(ref);
      if (version === null) return [];
      const { mirrorHost } = this.mapping;
      const host = mirrorHost === 'shadow' ? undefined : mirrorHost;
      return [grow(filter.mark, { to: version, percent: this.share(filter), of: 'forwarded', host })];
    });
    return mirrors.length === 0 ? undefined : mirrors;
  }

  protected share(filter: TreeNode): Growth {
    const percent = at(filter, 'percent');
    if (percent !== undefined) return percent;
    const fraction = at(filter, 'fraction');
    if (fraction === undefined) return 100;
    const numerator = numberAt(fraction, 'numerator') ?? 0;
    const denominator = numberAt(fraction, 'denominator') ?? 100;
    if (denominator === 0 || numerator > denominator) {
      this.error(fraction.mark, 'fraction: expected at most 1');
      return 100;
    }
    return shareNode(fraction, (numerator / denominator) * 100);
  }

  protected warn(mark: Mark, message: string): void {
    this.mapping.problems.push(warnOf(this.document, mark, message));
  }

  protected error(mark: Mark, message: string): void {
    this.mapping.problems.push(errorOf(this.document, mark, message));
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function isHeaderModifier(filter: TreeNode): boolean {
  return ['RequestHeaderModifier', 'ResponseHeaderModifier'].includes(textAt(filter, 'type') ?? '');
}
