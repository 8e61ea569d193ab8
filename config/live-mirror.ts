/** Compiles a mirror that a command adds to a running umbra. The configuration does not have it. */
import type { MirrorPlan, Plan } from '../core/plan.js';
import { compileMirror } from './compile-mirror.js';
import type { LoadedConfig } from './load.js';
import type { MirrorConfig } from './schema.js';
import { isSinkTarget } from './sink-target.js';
import type { MirrorSlots } from './slots.js';

export interface AddedMirror {
  readonly route: string;
  /** A version of the plan. */
  readonly to: string;
  /** Null: those of the template. */
  readonly methods: 'all' | 'safe' | null;
}

/**
 * `compileLiveMirror` takes the settings of the route's first mirror to a version, so that its rules of
 * comparison and its changes of the copy hold here too. Without one it takes the defaults, and compares. It
 * throws `MirrorSlotsFullError`.
 */
export function compileLiveMirror(
  config: LoadedConfig,
  plan: Plan,
  slots: MirrorSlots,
  { route: name, to, methods }: AddedMirror,
): MirrorPlan {
  const route = config.routes.find((route) => route.name === name)!;
  const { timeouts } = plan.routes.find((route) => route.name === name)!;
  const template = route.mirrors.find((mirror) => !isSinkTarget(mirror.to)) ?? config.mirrorDefaults;
  const { compare } = template;
  const mirror: MirrorConfig = {
    ...template,
    to,
    methods: methods ?? template.methods,
    // A baseline would need another version, and counters of its own.
    compare: compare === undefined || compare === 'off' ? compare : { ...compare, baseline: undefined },
  };
  const indexes = new Map(plan.versions.map((version, index) => [version.name, index]));
  const [slot] = slots.assign([{ route: name, version: to }]);
  return compileMirror(mirror, route, timeouts, indexes, () => slot);
}
