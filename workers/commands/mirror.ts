/**
 * `umbra mirror`: changes a mirror of a running umbra through its admin API, or switches all of them off.
 */
import { askAdmin } from './admin-client.js';
import { isAdminAddress } from './admin-request.js';

export interface MirrorOptions {
  /** Both, or neither for all mirrors. */
  readonly route?: string | null | undefined;
  readonly version?: string | null | undefined;
  /** Exactly one of the three. */
  readonly percent?: number | null | undefined;
  readonly on?: boolean | undefined;
  readonly off?: boolean | undefined;
  /** Base URL of the admin API, or `unix:PATH`. */
  readonly admin: string;
  readonly token?: string | null | undefined;
}

/** Where a command writes, one line a call, without line end. */
export interface CommandIo {
  out(line: string): void;
  err(line: string): void;
}

/** Resolves with the exit code: 0 changed, 1 not. Never rejects. */
export async function mirrorCommand(options: MirrorOptions, io: CommandIo): Promise<number> {
  const fault = usageFault(options);
  if (fault !== null) return fail(io, fault);

  const place = { admin: options.admin, token: options.token ?? null };
  try {
    const { generation } = await askAdmin(place, path(options), { method: 'PATCH', body: change(options) });
    if (typeof generation !== 'number') return fail(io, 'refused (200): this is not an umbra admin API');
    io.out(`${subject(options)} ${verb(options)}, generation ${generation}`);
    return 0;
  } catch (error) {
    return fail(io, (error as Error).message);
  }
}

function usageFault(options: MirrorOptions): string | null {
  const changes = [options.percent != null, options.on === true, options.off === true];
  if (changes.filter(Boolean).length !== 1) return 'give exactly one of --percent N, --on and --off';
  if ((options.route == null) !== (options.version == null)) return 'give ROUTE and VERSION, or neither';
  if (options.route == null && options.percent != null) return '--percent needs ROUTE and VERSION';
  if (!isAdminAddress(options.admin)) {
    return `--admin must be an http URL or unix:PATH, not ${JSON.stringify(options.admin)}`;
  }
  return null;
}

function path({ route, version }: MirrorOptions): string {
  if (route == null || version == null) return 'api/mirrors';
  return `api/routes/${encodeURIComponent(route)}/mirrors/${encodeURIComponent(version)}`;
}

function change({ percent, on }: MirrorOptions): object {
  return percent == null ? { enabled: on === true } : { percent };
}

function subject({ route, version }: MirrorOptions): string {
  return route == null ? 'all mirrors' : `mirror ${route} to ${version}`;
}

function verb({ percent, on }: MirrorOptions): string {
  if (percent != null) return `set to ${percent} %`;
  return on ? 'switched on' : 'switched off';
}

function fail(io: CommandIo, message: string): number {
  io.err(`umbra mirror: ${message}`);
  return 1;
}
