/** `retryOn` of Istio, which are Envoy's words, as `retries.on` of umbra. */

const words: Readonly<Record<string, readonly (string | number)[]>> = {
  'connect-failure': ['connect'],
  'refused-stream': ['connect'],
  reset: ['reset'],
  'reset-before-request': ['reset'],
  '5xx': ['5xx', 'connect', 'reset'],
  'gateway-error': ['gateway-error'],
  'retriable-4xx': ['retriable-4xx'],
  // The codes are beside it.
  'retriable-status-codes': [],
};

/** What Istio repeats on where `retryOn` is not given. */
export const retryOnByDefault: readonly (string | number)[] = ['connect', 503];

/** `unknown` are the words that umbra has no counterpart for. */
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
