/** Maps `retryOn` of Istio, which uses Envoy's conditions, to `retries.on`. */

const words: Readonly<Record<string, readonly (string | number)[]>> = {
  'connect-failure': ['connect'],
  'refused-stream': ['connect'],
  reset: ['reset'],
  'reset-before-request': ['reset'],
  '5xx': ['5xx', 'connect', 'reset'],
  'gateway-error': ['gateway-error'],
  'retriable-4xx': ['retriable-4xx'],
  // The status codes are listed separately.
  'retriable-status-codes': [],
};

/** Istio's default of `retryOn`. */
export const retryOnByDefault: readonly (string | number)[] = ['connect', 503];

/** `retryConditions` converts conditions. `unknown` lists those without an equivalent. */
export function retryConditions(retryOn: string): { on: (string | number)[]; unknown: string[] } {
  const on = new Set<string | number>();
  const unknown: string[] = [];
  for (const word of retryOn.split(',').map((part) => part.trim())) {
    if (word === '') continue;
    if (/^[45]\d\d$/.test(word)) on.add(Number(word));
    else if (Object.hasOwn(words, word)) for (const condition of words[word]) on.add(condition);
    else unknown.push(word);
  }
  return { on: [...on], unknown };
}
