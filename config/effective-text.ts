/**
 * Writes the effective configuration: the schema, run backward over a loaded configuration, gives every key
 * with its
 * default filled in. Secrets are hidden. A new key needs nothing here.
 */
import { z } from 'zod';
import { Redaction, redacted } from '../core/redact.js';
import { ofForwarded } from './check-route.js';
import { keysNotFor } from './check-sink.js';
import { withoutFieldSecrets } from './field-secrets.js';
import { type Config, configSchema } from './schema.js';

/** JSON that loads to the same configuration, but for what is redacted and for paths, which are absolute. */
export function effectiveText(config: Config): string {
  const { admin, routes, ...rest } = z.encode(configSchema, config) as Written;
  const written = {
    ...rest,
    admin: admin.token === undefined ? admin : { ...admin, token: redacted },
    routes: routes.map(withOwnKeys),
  };
  return JSON.stringify(withoutFieldSecrets(written, new Redaction(config.redact)));
}

interface Written {
  readonly admin: { readonly token?: string };
  readonly routes: readonly WrittenRoute[];
}

interface WrittenRoute {
  readonly primary?: unknown;
  readonly mirrors: readonly { readonly to: string }[];
}

/** A default of a key that another kind of route or mirror has would be refused when the text is loaded. */
function withOwnKeys(route: WrittenRoute): object {
  const mirrors = route.mirrors.map((mirror) => without(mirror, keysNotFor(mirror.to)));
  return { ...(route.primary === undefined ? without(route, ofForwarded) : route), mirrors };
}

function without(written: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(written).filter(([key]) => !keys.includes(key)));
}
