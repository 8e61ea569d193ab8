/**
 * Node's own HTTP parser (llhttp, strict) as an oracle. It is not public, so it is asked for where Node keeps
 * it.
 */
import { createRequire } from 'node:module';

/** One message as Node understood it. */
export interface Understood {
  /** `method target`, or the status. */
  start: string;
  /** Name and value in turn. */
  fields: string[];
  body: string;
  whole: boolean;
}

interface RawParser {
  initialize(type: number, resource: object, maxHeaderBytes: number): void;
  execute(bytes: Buffer): number | Error;
  finish(): undefined | Error;
  [callback: number]: (...values: never[]) => unknown;
}

const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  HTTPParser: {
    new (): RawParser;
    REQUEST: number;
    RESPONSE: number;
    kOnHeaders: number;
    kOnHeadersComplete: number;
    kOnBody: number;
    kOnMessageComplete: number;
  };
  methods: string[];
};

const headBytesMax = 1024 * 1024;
/** What a header callback returns for a response to HEAD. */
const NO_BODY = 1;

export const knownMethods: ReadonlySet<string> = new Set(methods);

/**
 * Reads all messages in `text`; `error` is null, or why it stopped. `ends`: the connection ends behind it.
 * `toHead`: the response is one to HEAD.
 */
export function readByNode(
  kind: 'request' | 'response',
  text: string,
  ends: boolean,
  toHead = false,
): { messages: Understood[]; error: string | null } {
  const parser = new HTTPParser();
  const messages: Understood[] = [];
  let fields: string[] = [];
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, headBytesMax);
  parser[HTTPParser.kOnHeaders] = (more: string[]) => {
    fields.push(...more);
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    rest: string[] | undefined,
    method: number | undefined,
    url: string | undefined,
    status: number | undefined,
  ) => {
    const start = kind === 'request' ? `${methods[method!]} ${url}` : String(status);
    messages.push({ start, fields: [...fields, ...(rest ?? [])], body: '', whole: false });
    fields = [];
    return toHead ? NO_BODY : 0;
  };
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    messages.at(-1)!.body += bytes.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages.at(-1)!.whole = true;
    // Trailers.
    fields = [];
  };
  const read = parser.execute(Buffer.from(text, 'latin1'));
  if (read instanceof Error) return { messages, error: codeOf(read) };
  const finished = ends ? parser.finish() : undefined;
  return { messages, error: finished instanceof Error ? codeOf(finished) : null };
}

function codeOf(error: Error): string {
  return (error as Error & { code: string }).code;
}
