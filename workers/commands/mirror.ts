/**
 * `umbra mirror`: changes a mirror of a running umbra through its admin API, or switches all of them off.
 */

export interface MirrorOptions {
  /** Both, or neither for all mirrors. */
  readonly route?: string | null | undefined;
  readonly version?: string | null | undefined;
  /** Exactly one of the three. */
  readonly percent?: number | null | undefined;
  readonly on?: boolean | undefined;
  readonly off?: boolean | undefined;
  /** Base URL of the admin API. */
  readonly admin: string;
  readonly token?: string | null | undefined;
}

/** Where a command writes, one line a call, without line end. */
export interface CommandIo {
  out(line: string): void;
  err(line: string): void;
}

/** A change waits until every thread has taken it, which takes milliseconds; a hung process must not hang its operator. */
const ANSWER_TIMEOUT_MS = 15_000;

/** Resolves with the exit code: 0 changed, 1 not. Never rejects. */
export async function mirrorCommand(options: MirrorOptions, io: CommandIo): Promise<number> {
  const fault = usageFault(options);
  if (fault !== null) return fail(io, fault);

  let response: Response;
  let answer: { generation?: unknown; error?: unknown };
  try {
    response = await fetch(endpoint(options), {
      method: 'PATCH',
      headers: {
        'content-type': 'application/json',
        ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
      },
      body: JSON.stringify(change(options)),
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    answer = parse(await response.text());
  } catch (error) {
    return fail(io, `cannot reach umbra at ${options.admin}: ${reason(error)}`);
  }
  if (!response.ok || typeof answer.generation !== 'number') {
    const said = typeof answer.error === 'string' ? answer.error : 'this is not an umbra admin API';
    return fail(io, `refused (${response.status}): ${said}`);
  }
  io.out(`${subject(options)} ${verb(options)}, generation ${answer.generation}`);
  return 0;
}

function usageFault(options: MirrorOptions): string | null {
  const changes = [options.percent != null, options.on === true, options.off === true];
  if (changes.filter(Boolean).length !== 1) return 'give exactly one of --percent N, --on and --off';
  if ((options.route == null) !== (options.version == null)) return 'give ROUTE and VERSION, or neither';
  if (options.route == null && options.percent != null) return '--percent needs ROUTE and VERSION';
  if (!URL.canParse(options.admin) || !/^https?:$/.test(new URL(options.admin).protocol)) {
    return `--admin must be an http URL, not ${JSON.stringify(options.admin)}`;
  }
  return null;
}

function endpoint({ admin, route, version }: MirrorOptions): URL {
  const base = admin.endsWith('/') ? admin : `${admin}/`;
  if (route == null || version == null) return new URL('api/mirrors', base);
  return new URL(`api/routes/${encodeURIComponent(route)}/mirrors/${encodeURIComponent(version)}`, base);
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

function parse(text: string): { generation?: unknown; error?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** `fetch` says only that it failed; what happened is in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return (cause as NodeJS.ErrnoException).code ?? cause.message;
}

function fail(io: CommandIo, message: string): number {
  io.err(`umbra mirror: ${message}`);
  return 1;
}
