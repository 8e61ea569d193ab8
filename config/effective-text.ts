/**
 * Writes the effective configuration: the schema, applied backward to a loaded configuration, writes every
 * key with its default. Secrets are hidden. A new key needs no code here.
 */
import { z } from 'zod';
import { Redaction, redacted } from '../core/redact.js';
import { ofForwarded } from './check-route.js';
import { keysNotFor } from './check-sink.js';
import { withoutFieldSecrets } from './field-secrets.js';
import { type Config, configSchema } from './schema.js';

/**
 * `effectiveText` returns JSON that loads to the same configuration, except that secrets are redacted and
 * paths are absolute.
 */
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

/**
 * `withOwnKeys` leaves out defaults of keys that belong to another kind of route or mirror: the text would be
 * rejected with them.
 */
function withOwnKeys(route: WrittenRoute): object {
  const mirrors = route.mirrors.map((mirror) => without(mirror, keysNotFor(mirror.to)));
  return { ...(route.primary === undefined ? without(route, ofForwarded) : route), mirrors };
}

function without(written: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(written).filter(([key]) => !keys.includes(key)));
}
