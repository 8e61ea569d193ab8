/** The shape of one row of docs/conformance.md, which is a test as well. */

/**
 * What umbra does, in the words of the page:
 *
 *   forwarded     the origin got it, and the client got what the origin answered
 *   answered 400  the client got this status from umbra itself
 *   cut           the client got the beginning of the origin's response and can tell that it is not whole
 *   no answer     the connection is closed without a byte
 *   waits         nothing comes until a timeout is over
 *
 * and `, closed` where the connection does not continue although the client asked for no end.
 */
export type Verdict =
  | `${'forwarded' | `answered ${number}`}${'' | ', closed'}`
  | 'cut'
  | 'no answer'
  | 'waits';

export interface Expected {
  readonly verdict: Verdict;
  /** More words for the page. */
  readonly note?: string;
  /** What the origin got; null: not a byte. */
  readonly arrives?: RegExp | null;
  /** What the client got. */
  readonly comes?: RegExp;
}

export interface Case {
  /** Unique. */
  readonly what: string;
  /** Where the RFCs speak of it. */
  readonly rfc: string;
  /** What they ask of an intermediary; where they leave it open, what is common. */
  readonly asks: string;
  /** The client's bytes. A plain GET if unset. */
  readonly sends?: string;
  /** Sent once the client has got `after` of the first answer: the rest of a body. */
  readonly sendsThen?: readonly [after: string, bytes: string];
  /** The client closes its side behind its bytes. */
  readonly halfCloses?: boolean;
  /** The origin's bytes. A short 200 if unset. */
  readonly answers?: string;
  /** The origin's next bytes, once the client has got `after`. */
  readonly answersThen?: readonly [after: string, bytes: string];
  /** How the origin ends its connection, once the client has got `after`. */
  readonly ends?: readonly [how: 'fin' | 'reset', after?: string];
  /** What each engine does, or both. */
  readonly uws: Expected;
  readonly node: Expected;
}

export interface Section {
  /** Name of the table in the page. */
  readonly name: string;
  readonly cases: readonly Case[];
}

/** The same expectation for both engines. */
export function both(verdict: Verdict, more: Omit<Expected, 'verdict'> = {}): Pick<Case, 'uws' | 'node'> {
  const expected = { verdict, ...more };
  return { uws: expected, node: expected };
}
