/**
 * The parsers against themselves and against Node's. However a text is cut, they must come to the same; and
 * what they take for a whole message must be one to Node's strict parser too, with the same body. The other
 * way round umbra may refuse what Node takes.
 */
import { Framing } from '../../core/http/message.js';
import { type BodySink, RequestBodyReader } from '../../core/http/request-body.js';
import { RequestFault } from '../../core/http/request-fault.js';
import { RequestHeadScanner } from '../../core/http/request-head-scanner.js';
import { Scan } from '../../core/http/scan.js';
import { read } from '../core/http/reading.js';
import { anyRequest, anyResponse, brief, shown } from './messages.js';
import { knownMethods, readByNode, type Understood } from './node-parser.js';
import type { Chance } from './random.js';

/** Up to here a text is also read byte by byte. */
const byteByByteMax = 600;
/**
 * Where umbra accepts more than Node's parser, on purpose. A space before a colon of a response is stripped
 * (RFC 9112, section 5.1). Any 1.x is accepted. Interim responses have no body whatever they say. Equal
 * lengths are one. A target may have bytes of 0x80 and above. The content of chunk extensions is ignored, and
 * so is a length among the trailers (RFC 9110, section 6.5.1).
 */
const extension = /^[0-9a-f]+[ \t]|^[0-9a-f]+;(?!(?:a|a=b|a="b c"|e+)\r\n)/im;
const lengths = /length:.*[,\t]|length:[\s\S]*length:/i;
const lengthInTrailers = /^0+[ \t]*(?:;.*)?\r\n(?:.+\r\n)*content-length:/im;
const meantForResponses = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]+:|^HTTP\/1\.[2-9]|^HTTP\/1\.[01] 1/m;
const meantForRequests = /^\S* \S*[\x80-\xff]/m;
/** Node's parser leaves HTTP at these. */
const leavesHttp = /upgrade|connect /i;

/** Throws with the text where something is wrong. */
export function fuzzResponse(chance: Chance): void {
  const text = anyResponse(chance);
  const toHead = chance.onceIn(10);
  const whole = read(text, [], toHead);
  const told = verdict(whole);
  same(told, verdict(read(text, chance.cuts(text.length, 6), toHead)), text);
  if (text.length <= byteByByteMax) {
    const everywhere = Array.from({ length: text.length }, (_, at) => at);
    same(told, verdict(read(text, everywhere, toHead)), text);
  }
  if (!whole.ended || meant(meantForResponses, text)) return;
  const { messages, error } = readByNode('response', text, true, toHead);
  const final = messages.find(({ start }) => !start.startsWith('1') || start === '101');
  if (final === undefined || (!final.whole && error !== null)) {
    throw new Error(`we read ${brief(told)}, and Node's parser says ${error} to ${shown(text)}`);
  }
  same(`${whole.status} ${whole.body}`, `${final.start} ${final.body}`, text);
}

export function fuzzRequest(chance: Chance): void {
  let text = anyRequest(chance);
  while (chance.onceIn(4)) text += anyRequest(chance);
  const whole = readRequests(text, []);
  const told = JSON.stringify(whole);
  same(told, JSON.stringify(readRequests(text, chance.cuts(text.length, 6))), text);
  if (text.length <= byteByByteMax) {
    const everywhere = Array.from({ length: text.length }, (_, at) => at);
    same(told, JSON.stringify(readRequests(text, everywhere)), text);
  }
  if (leavesHttp.test(text) || meant(meantForRequests, text)) return;
  if (whole.requests.some(({ method }) => !knownMethods.has(method))) return;
  const { messages, error } = readByNode('request', text, false);
  whole.requests.forEach((ours, index) => {
    const nodes: Understood | undefined = messages[index];
    if (!ours.whole) return;
    if (nodes?.whole !== true) {
      throw new Error(`we read ${brief(told)}, and Node's parser says ${error} to ${shown(text)}`);
    }
    const [method, target] = nodes.start.split(' ');
    same(ours.method, method!, text);
    if (target!.startsWith('/')) same(ours.target, target!, text);
    same(ours.body, nodes.body, text);
  });
}

interface ReadRequest {
  method: string;
  target: string;
  host: string;
  fields: string;
  body: string;
  trailers: string;
  whole: boolean;
}

/**
 * Reads requests from `text`, which comes in pieces that end at `cuts`, as a connection of the node engine
 * does.
 */
function readRequests(text: string, cuts: readonly number[]): { requests: ReadRequest[]; fault: string } {
  const scanner = new RequestHeadScanner();
  const body = new RequestBodyReader();
  const requests: ReadRequest[] = [];
  const bytes = Buffer.from(text, 'latin1');
  const sink: BodySink = {
    onTrailers: (lines) => {
      requests.at(-1)!.trailers += lines;
    },
    onPiece: (piece, last) => {
      const request = requests.at(-1)!;
      request.body += Buffer.from(piece).toString('latin1');
      request.whole = last;
    },
  };
  let at = 0;
  let fault: RequestFault = RequestFault.NONE;
  let over = false;
  for (const end of [...cuts, text.length]) {
    while (at < end && !over) {
      if (!body.complete) {
        at = body.feed(bytes, at, end, sink);
        if (body.refused) fault = RequestFault.CHUNKS;
      } else {
        const scan = scanner.scan(bytes, at, end);
        if (scan === Scan.PARTIAL) break;
        if (scan === Scan.REFUSED) {
          fault = scanner.fault;
        } else {
          const { head } = scanner;
          at += scanner.length;
          requests.push({
            method: head.method,
            target: head.target,
            host: head.host,
            fields: head.fields,
            body: '',
            trailers: '',
            whole: head.framing === Framing.NONE,
          });
          body.begin(head.framing, head.contentLength, scanner.named);
        }
      }
      over = fault !== RequestFault.NONE || (body.complete && !scanner.keepAlive && requests.length > 0);
    }
  }
  const name = Object.keys(RequestFault).find(
    (key) => RequestFault[key as keyof typeof RequestFault] === fault,
  )!;
  return { requests, fault: name };
}

function meant(pattern: RegExp, text: string): boolean {
  return pattern.test(text) || extension.test(text) || lengths.test(text) || lengthInTrailers.test(text);
}

/**
 * A head that does not end may be refused as soon as it can't become one, or for want of its end: that
 * depends on the reads.
 */
function verdict(reading: ReturnType<typeof read>): string {
  const headless = reading.head === '' && (reading.fed === 'REFUSED' || reading.fed === 'MORE');
  return JSON.stringify(headless ? { ...reading, fed: 'REFUSED', fault: '' } : reading);
}

function same(ours: string, theirs: string, text: string): void {
  if (ours !== theirs) throw new Error(`${brief(ours)}\nis not\n${brief(theirs)}\nof ${shown(text)}`);
}
