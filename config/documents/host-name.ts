/** Host names in documents: short ones, and the longer ones that mean the same in a Kubernetes cluster. */

const clusterDomain = 'cluster.local';
const service = /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/;

/**
 * `reviews` of the namespace `prod` is `reviews.prod.svc.cluster.local`; what has a dot is whole already.
 * Lower case.
 */
export function wholeHost(host: string, namespace: string): string {
  const lower = host.toLowerCase();
  if (lower === '*' || lower.startsWith('*.')) return lower;
  if (!lower.includes('.')) return `${lower}.${namespace}.svc.${clusterDomain}`;
  return service.test(lower) ? lower.replace(/\.svc$/, `.svc.${clusterDomain}`) : lower;
}

/**
 * Every Host by which clients ask for a whole host: a service is also asked for by the shorter forms of its
 * name.
 */
export function hostForms(host: string, namespace: string): string[] {
  const [, name, ofNamespace] = service.exec(host) ?? [];
  if (name === undefined) return [host];
  const longer = [`${name}.${ofNamespace}`, `${name}.${ofNamespace}.svc`, host];
  return ofNamespace === namespace ? [name, ...longer] : longer;
}

/** How a whole host is called where the usual namespace is `namespace`. */
export function shortHost(host: string, namespace: string): string {
  const [, name, ofNamespace] = service.exec(host) ?? [];
  if (name === undefined) return host;
  return ofNamespace === namespace ? name : `${name}.${ofNamespace}`;
}
