import { openApi } from '../../workers/admin/openapi.js';
import type { DocTable } from '../support/doc-table.js';

/** The table of docs/admin-api.md. */
export function adminTables(): DocTable[] {
  const { paths } = openApi() as {
    paths: Record<string, Record<string, { readonly summary: string; readonly responses: object }>>;
  };
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, responses }]) => [
      `\`${method.toUpperCase()} ${path}\``,
      summary,
      Object.keys(responses).sort().join(', '),
    ]),
  );
  return [{ name: 'paths', columns: ['request', 'what it does', 'statuses'], rows }];
}
