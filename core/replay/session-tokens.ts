/**
 * Sessions of a replay. A recorded request carries cookies and tokens of the recorded server, which the
 * server under test does not know. So the values in its own responses replace them in later requests. Sources
 * name these values: a cookie, a header, or a member of a JSON response.
 *
 *   recorded response to /login   Set-Cookie: sid=R1      in a later request   Cookie: sid=R1
 *   response of the server        Set-Cookie: sid=S7      is sent as           Cookie: sid=S7
 *
 * A value is replaced wherever it occurs as a whole: in a field, in the target, or in a text body.
 */
import { BodyFault, bodyTypeOf, decodeBody, decodeText } from '../compare/body.js';
import { fieldValue, nameIs } from '../http/fields.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import type { RecordedRequest, ResponseContent } from '../recording/recorded.js';
import { withoutBlanks } from '../trim.js';

export type TokenSource =
  | { readonly by: 'cookie' | 'header'; readonly name: string }
  | { readonly by: 'json'; readonly keys: readonly string[] };

export const tokenSourceExpected = 'expected cookie:NAME, header:NAME or a member such as $.access_token';

const setCookie = 'set-cookie:';
/** Shorter values are too likely to have another meaning where they are found. */
const tokenCharsMin = 8;
/** A run of characters that may be a token, possibly after a name or as a segment of a path. */
const runs = /[^\s"'&;,?#()<>[\]{}]{8,4096}/g;

/** `parseTokenSource` returns null when the text is invalid. */
export function parseTokenSource(text: string): TokenSource | null {
  const named = /^(cookie|header):([!#$%&'*+.^_`|~\w-]+)$/.exec(text);
  if (named !== null)
    return {
      by: named[1] as 'cookie' | 'header',
      name: named[1] === 'header' ? named[2].toLowerCase() : named[2],
    };
  const [root, ...keys] = text.split('.');
  const isPath = root === '$' && keys.length > 0 && keys.every((key) => /^[A-Za-z_][\w-]*$/.test(key));
  return isPath ? { by: 'json', keys } : null;
}

/** `tokensOf` returns the tokens of a response by source; null for a source that it lacks. */
export function tokensOf(content: ResponseContent, sources: readonly TokenSource[]): (string | null)[] {
  const fields = content.head.slice(content.head.indexOf('\n') + 1);
  let json: unknown;
  return sources.map((source) => {
    if (source.by !== 'json')
      return long(source.by === 'header' ? fieldValue(fields, source.name) : cookieIn(fields, source.name));
    json ??= jsonOf(content, fields);
    const value = source.keys.reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : null),
      json,
    );
    return typeof value === 'string' ? long(value) : null;
  });
}

export class SessionTokens {
  readonly #sources: readonly TokenSource[];
  /** The server's tokens by recorded token, the oldest first. */
  readonly #given = new Map<string, string>();
  readonly #replace = (run: string): string => this.#replaced(run);

  constructor(sources: readonly TokenSource[]) {
    this.#sources = sources;
  }

  /** `learn` maps the tokens of `recorded` to those of `given`, the server's response to the same request. */
  learn(recorded: ResponseContent, given: ResponseContent): void {
    const after = tokensOf(given, this.#sources);
    for (const [source, token] of tokensOf(recorded, this.#sources).entries()) {
      const instead = after[source];
      if (token === null || instead === null) continue;
      this.#given.delete(token);
      this.#given.set(token, instead);
      if (this.#given.size > limits.replayTokens) this.#given.delete(this.#given.keys().next().value!);
    }
  }

  knows(token: string): boolean {
    return this.#given.has(token);
  }

  /** `apply` returns `request` with every recorded token replaced whose counterpart is known. */
  apply(request: RecordedRequest): RecordedRequest {
    if (this.#given.size === 0) return request;
    const fields = request.fields.replace(runs, this.#replace);
    const target = request.target.replace(runs, this.#replace);
    const text = bodyText(request);
    const changed = text.replace(runs, this.#replace);
    const body = changed === text ? request.body : Buffer.from(changed, 'latin1');
    return { ...request, fields, target, body };
  }

  #replaced(run: string): string {
    const whole = this.#given.get(run);
    if (whole !== undefined) return whole;
    const sign = run.search(/[=:]/);
    if (sign > 0) return run.slice(0, sign + 1) + this.#replaced(run.slice(sign + 1));
    if (!run.includes('/')) return run;
    return run
      .split('/')
      .map((segment) => this.#given.get(segment) ?? segment)
      .join('/');
  }
}

/** `tokenIn` returns the first of `tokens` that is in the request, or null. */
export function tokenIn(request: RecordedRequest, tokens: ReadonlyMap<string, unknown>): string | null {
  if (tokens.size === 0) return null;
  const isToken = (run: string): string | null => {
    if (tokens.has(run)) return run;
    const sign = run.search(/[=:]/);
    if (sign > 0) return isToken(run.slice(sign + 1));
    return run.includes('/') ? (run.split('/').find((segment) => tokens.has(segment)) ?? null) : null;
  };
  for (const text of [request.fields, request.target, bodyText(request)]) {
    for (const [run] of text.matchAll(runs)) {
      const found = isToken(run);
      if (found !== null) return found;
    }
  }
  return null;
}

/**
 * `bodyText` returns a text body as a wire string. It is empty for other bodies, and for those above the
 * limit.
 */
function bodyText({ fields, body }: RecordedRequest): string {
  if (body.byteLength === 0 || body.byteLength > limits.replayTokenBodyBytes) return '';
  if (bodyTypeOf(fieldValue(fields, 'content-type') ?? '') === 'binary') return '';
  return fieldValue(fields, 'content-encoding') === null ? latin1Slice(body, 0, body.byteLength) : '';
}

function cookieIn(fields: string, name: string): string | null {
  for (const line of fields.split('\r\n')) {
    if (!nameIs(line, 0, setCookie)) continue;
    const value = withoutBlanks(line.slice(setCookie.length));
    if (value.startsWith(`${name}=`)) return withoutBlanks(value.slice(name.length + 1).split(';', 1)[0]);
  }
  return null;
}

function jsonOf(content: ResponseContent, fields: string): unknown {
  const type = fieldValue(fields, 'content-type') ?? '';
  if (bodyTypeOf(type) !== 'json' || content.truncated) return null;
  try {
    const coding = fieldValue(fields, 'content-encoding') ?? '';
    return JSON.parse(decodeText(coding === '' ? content.body : decodeBody(content.body, coding), type));
  } catch (error) {
    if (error instanceof BodyFault || error instanceof SyntaxError) return null;
    throw error;
  }
}

function long(token: string | null): string | null {
  return token !== null && token.length >= tokenCharsMin ? token : null;
}
