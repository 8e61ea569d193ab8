import { Framing } from '../../../core/http/message.js';
import { ResponseFault } from '../../../core/http/response-fault.js';
import { type ResponseHead, Without } from '../../../core/http/response-head.js';
import { Fed, type ReaderSink, ResponseReader } from '../../../core/http/response-reader.js';

const out = Buffer.alloc(128 * 1024);

/** What a reader delivered for one response, pieces of the body joined. */
export class Reading implements ReaderSink {
  readonly interims: string[] = [];
  head = '';
  framing = '';
  status = 0;
  keepAlive = false;
  length: number | null = null;
  body = '';
  trailers = '';
  ended = false;
  fed = '';
  fault = '';

  onInterim(head: ResponseHead): void {
    this.interims.push(forwarded(head));
  }
  onHead(head: ResponseHead): void {
    this.head = forwarded(head);
    this.framing = nameOf(Framing, head.framing);
    this.status = head.status;
    this.keepAlive = head.keepAlive;
    this.length = head.hasContentLength ? head.contentLength : null;
  }
  onBody(bytes: Uint8Array): void {
    this.body += Buffer.from(bytes).toString('latin1');
  }
  onTrailers(lines: string): void {
    this.trailers += lines;
  }
  onEnd(): void {
    this.ended = true;
  }
}

/**
 * Feeds `text` (a wire string) cut at `cuts`, each piece at another place of a buffer whose other bytes are
 * poison, then a FIN unless it was over before.
 */
export function read(
  text: string,
  cuts: readonly number[] = [],
  toHead = false,
  wantsContinue = false,
): Reading {
  const reading = new Reading();
  const reader = new ResponseReader(reading);
  reader.reset(reading, toHead, wantsContinue);
  const ends = [...new Set(cuts)].filter((cut) => cut > 0 && cut < text.length).sort((a, b) => a - b);
  let fed: Fed = Fed.MORE;
  let start = 0;
  for (const end of [...ends, text.length]) {
    const padding = 1 + (start % 7);
    const buffer = Buffer.alloc(end - start + 2 * padding, '\0');
    buffer.write(text.slice(start, end), padding, 'latin1');
    fed = reader.feed(buffer, padding, padding + end - start);
    buffer.fill(0);
    start = end;
    if (fed === Fed.REFUSED || fed === Fed.EXCESS) break;
  }
  if (fed === Fed.MORE) fed = reader.finish();
  reading.fed = nameOf(Fed, fed);
  reading.fault = nameOf(ResponseFault, reader.fault);
  return reading;
}

function forwarded(head: ResponseHead): string {
  return out.toString('latin1', 0, head.writeForward(out, Without.NOTHING));
}

function nameOf(codes: Record<string, number>, code: number): string {
  return Object.keys(codes).find((name) => codes[name] === code)!;
}
