/**
 * What a route answers by itself: a redirect, or a text. Made once for a plan, but for a redirect's Location.
 */
import { locationTooLongAnswer } from '../answers.js';
import { fieldValue } from '../http/fields.js';
import { withoutPort } from '../http/host.js';
import type { RequestHead } from '../http/message.js';
import { limits } from '../limits.js';
import type { AnswerPlan, RoutePlan } from '../plan.js';
import { compilePathChange, type TargetChange } from '../route/path-change.js';
import { withoutLeading } from '../trim.js';
import { PLAIN_TEXT } from './downstream.js';
import { editedLines } from './response-change.js';

/** `lines` as `Responder.answer` takes them. */
export interface DirectAnswer {
  readonly status: number;
  readonly body: string;
  readonly lines: string;
}

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
  /** Returns the field lines of the answer, with a redirect's Location. */
  readonly #lines: (location: string) => string;
  readonly #redirect: Redirect | null;

  /** Null: a primary answers. */
  static of(plan: RoutePlan): DirectResponse | null {
    return plan.answer === null ? null : new DirectResponse(plan.answer, plan);
  }

  private constructor(answer: AnswerPlan, { headers }: RoutePlan) {
    const edits = headers?.response ?? null;
    this.#status = answer.status;
    if (answer.kind === 'redirect') {
      this.#body = '';
      this.#redirect = new Redirect(answer);
      this.#lines = (location) => editedLines(`location: ${location}\r\n`, edits);
      return;
    }
    this.#body = answer.body;
    this.#redirect = null;
    const said = answer.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const typed = answer.body === '' || answer.headers.some(([name]) => name === CONTENT_TYPE);
    const lines = editedLines(typed ? said : PLAIN_TEXT + said, edits);
    this.#lines = () => lines;
  }

  /** Returns the answer to this request. */
  to(head: RequestHead): DirectAnswer {
    const location = this.#redirect === null ? '' : this.#redirect.location(head);
    if (location.length > limits.locationBytes) return locationTooLong;
    return { status: this.#status, body: this.#body, lines: this.#lines(location) };
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
    const { host, port } = this.#plan;
    const asked = schemeOf(head);
    const scheme = this.#plan.scheme ?? asked;
    // A port belongs to a scheme and a host: with another one of those it says nothing.
    const keepsPort = port === null && host === null && scheme === asked;
    const name = host ?? (keepsPort ? head.host : withoutPort(head.host));
    const said = port === null || port === defaultPorts[scheme] ? '' : `:${port}`;
    const asIs = head.target.startsWith('/') ? head.target : '/';
    const target = this.#target === null ? asIs : this.#target(asIs);
    // Of HTTP/1.0, which may name no host: a reference to where the client is. Two slashes would name one.
    if (name === '') return `/${withoutLeading(target, '/')}`;
    return `${scheme}://${name}${said}${target}`;
  }
}

/** Returns the scheme that the client sees: the one that a proxy in front of umbra has named, if one has. */
function schemeOf(head: RequestHead): 'http' | 'https' {
  const said = fieldValue(head.fields, 'x-forwarded-proto')?.toLowerCase();
  if (said === 'https' || said === 'http') return said;
  return head.secure ? 'https' : 'http';
}
