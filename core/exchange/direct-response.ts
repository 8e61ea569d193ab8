/**
 * The response that a route sends itself: a redirect or a text. It is built once per plan, except for a
 * redirect's Location.
 */
import { locationTooLongAnswer } from '../answers.js';
import { wallClockMs } from '../clock.js';
import { editedFields, FieldEdits } from '../http/edited-fields.js';
import { FormatSource, type Peer } from '../http/format-source.js';
import { withoutPort } from '../http/host.js';
import type { RequestHead } from '../http/message.js';
import { schemeOf } from '../http/scheme.js';
import { limits } from '../limits.js';
import type { AnswerPlan, RoutePlan } from '../plan.js';
import { compilePathChange, type TargetChange } from '../route/path-change.js';
import { withoutLeading } from '../trim.js';
import { withCors } from './cors.js';
import { type DirectAnswer, PLAIN_TEXT } from './downstream.js';

type RedirectPlan = AnswerPlan & { kind: 'redirect' };

const CONTENT_TYPE = 'content-type';
const locationTooLong: DirectAnswer = {
  status: locationTooLongAnswer.status,
  body: locationTooLongAnswer.text,
  lines: PLAIN_TEXT,
};
const defaultPorts = { http: 80, https: 443 } as const;

export class DirectResponse {
  readonly #status: number;
  readonly #body: string;
  readonly #redirect: Redirect | null;
  /** The field lines of a text, before `#edits`. A redirect has its Location instead. */
  readonly #base: string;
  readonly #edits: readonly FieldEdits[];
  /** Values for commands in header values; null when there are none. */
  readonly #source: FormatSource | null;
  readonly #route: string;

  /** `of` returns null when a primary answers. */
  static of(plan: RoutePlan): DirectResponse | null {
    return plan.answer === null ? null : new DirectResponse(plan.answer, plan);
  }

  private constructor(answer: AnswerPlan, { name, headers }: RoutePlan) {
    const isRedirect = answer.kind === 'redirect';
    const added = isRedirect ? [] : answer.headers;
    const edits = [{ remove: [], set: [], add: added }, headers?.response ?? null]
      .map((one) => FieldEdits.of(one, 'response'))
      .filter((one) => one !== null);
    const hasCommands = edits.some((one) => one.hasCommands);
    this.#route = name;
    this.#status = answer.status;
    this.#body = isRedirect ? '' : answer.body;
    this.#redirect = isRedirect ? new Redirect(answer) : null;
    this.#source = hasCommands ? new FormatSource() : null;
    const isTyped = isRedirect || answer.body === '' || added.some(([field]) => field === CONTENT_TYPE);
    const base = isTyped ? '' : PLAIN_TEXT;
    const isFixed = !isRedirect && !hasCommands;
    this.#base = isFixed ? editedFields(base, edits, null) : base;
    this.#edits = isFixed ? [] : edits;
  }

  /** `to` returns the answer to this request. `cors` are lines of `Cors`. */
  to(head: RequestHead, client: Peer, cors: string): DirectAnswer {
    const location = this.#redirect === null ? '' : this.#redirect.location(head);
    if (location.length > limits.locationBytes) return locationTooLong;
    const base = this.#redirect === null ? this.#base : `location: ${location}\r\n`;
    if (this.#source !== null) {
      this.#source.begin(head, client, this.#route, '', wallClockMs());
      this.#source.status = this.#status;
    }
    return {
      status: this.#status,
      body: this.#body,
      lines: withCors(editedFields(base, this.#edits, this.#source), cors),
    };
  }
}

class Redirect {
  readonly #plan: RedirectPlan;
  readonly #target: TargetChange | null;

  constructor(plan: RedirectPlan) {
    this.#plan = plan;
    this.#target = plan.path === null ? null : compilePathChange(plan.path);
  }

  location(head: RequestHead): string {
    const { host } = this.#plan;
    const asked = schemeOf(head);
    const scheme = this.#plan.scheme ?? asked;
    const port = this.#plan.port === 'listener' ? listenerPort(head) : this.#plan.port;
    // A port belongs to a scheme and a host, and is meaningless with others.
    const keepsPort = port === null && host === null && scheme === asked;
    const name = host ?? (keepsPort ? head.host : withoutPort(head.host));
    const said = port === null || port === defaultPorts[scheme] ? '' : `:${port}`;
    const asIs = head.target.startsWith('/') ? head.target : '/';
    const target = this.#target === null ? asIs : this.#target(asIs);
    // An HTTP/1.0 request may name no host. The Location is then a path; two slashes at its beginning would
    // name a host.
    if (name === '') return `/${withoutLeading(target, '/')}`;
    return `${scheme}://${name}${said}${target}`;
  }
}

/** `listenerPort` returns null when the port is unknown, as for a unix socket. */
function listenerPort({ localPort, host }: RequestHead): number | null {
  if (localPort !== 0) return localPort;
  const said = Number(host.slice(withoutPort(host).length + 1));
  return said === 0 ? null : said;
}
