/** Host names in documents: short ones, and their longer forms in a Kubernetes cluster. */

const clusterDomain = 'cluster.local';
const service = /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/;

/**
 * `wholeHost` returns the full name in lower case: `reviews` in the namespace `prod` is
 * `reviews.prod.svc.cluster.local`. A name with a dot is already complete.
 */
export function wholeHost(host: string, namespace: string): string {
  const lower = host.toLowerCase();
  if (lower === '*' || lower.startsWith('*.')) return lower;
  if (!lower.includes('.')) return `${lower}.${namespace}.svc.${clusterDomain}`;
  return service.test(lower) ? lower.replace(/\.svc$/, `.svc.${clusterDomain}`) : lower;
}

/**
 * `hostForms` returns every Host by which clients address a full name. A service also has the shorter forms
 * of its name.
 */
export function hostForms(host: string, namespace: string): string[] {
  const [, name, ofNamespace] = service.exec(host) ?? [];
  if (name === undefined) return [host];
  const longer = [`${name}.${ofNamespace}`, `${name}.${ofNamespace}.svc`, host];
  return ofNamespace === namespace ? [name, ...longer] : longer;
}

/** `shortHost` returns the short form of a full name where `namespace` is the default. */
export function shortHost(host: string, namespace: string): string {
  const [, name, ofNamespace] = service.exec(host) ?? [];
  if (name === undefined) return host;
  return ofNamespace === namespace ? name : `${name}.${ofNamespace}`;
}
