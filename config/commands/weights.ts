/** `umbra weights`. */
import {
  defineCommand,
  type Misuse,
  type OptionsOf,
  operandList,
  optionalOperand,
  toggle,
} from '../command-line/definition.js';
import { adminFlags } from '../command-line/flags.js';
import { text } from '../command-line/values.js';

export const weights = defineCommand({
  name: 'weights',
  summary: "change the weights of a route's versions in a running umbra: reviews v1=95 v2=5",
  operands: {
    route: optionalOperand('[route]', 'name of the route', text),
    weights: operandList('[weights...]', 'VERSION=WEIGHT; with % all of them, which add up to 100%'),
  },
  flags: {
    ...adminFlags,
    reset: toggle('--reset', 'back to the weights of the configuration; without a route: of all routes'),
  },
  complete({ route, weights, reset, ...place }, misuse) {
    if (reset && weights.length > 0) misuse('--reset and weights exclude each other');
    if (!reset && route === null) misuse("missing required argument 'route'");
    if (!reset && weights.length === 0) misuse('expected weights such as v1=95 v2=5, or --reset');
    return { ...place, route, primary: reset ? null : primaryOf(weights, misuse) };
  },
});

/**
 * `primary` is the body's member of the same name: weights as numbers or percentages as texts. Null resets,
 * all routes if `route` is null.
 */
export type WeightsOptions = OptionsOf<typeof weights>;

function primaryOf(given: readonly string[], misuse: Misuse): Readonly<Record<string, number | string>> {
  const primary: [string, number | string][] = given.map((word) => {
    const [, version, weight] = /^([^=]+)=(\d+(?:\.\d+)?%?)$/.exec(word) ?? [];
    if (version === undefined || weight === undefined)
      return misuse(`${word}: expected VERSION=WEIGHT, such as v2=5 or v2=5%`);
    return [version, weight.endsWith('%') ? weight : Number(weight)];
  });
  const names = primary.map(([version]) => version);
  const twice = names.find((version, at) => names.indexOf(version) !== at);
  if (twice !== undefined) misuse(`${twice} is given twice`);
  return Object.fromEntries(primary);
}
