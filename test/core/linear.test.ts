/**
 * Everything that reads bytes from outside is fed with long runs of one byte or of one short piece, in every
 * place, and must take steps in proportion to them. The steps are counted, so a slow machine changes nothing.
 */

import { StepCounter } from '../support/steps.js';
import t from '../support/tap.js';
import { edgeOff } from './route/support.js';

const steps = new StepCounter('/dist/core/');
t.teardown(() => steps.stop());

const { Cors } = await import('../../core/exchange/cors.js');
const { FieldEdits } = await import('../../core/http/edited-fields.js');
const { FormatSource } = await import('../../core/http/format-source.js');
const { keepPiece } = await import('../../core/http/kept-pieces.js');
const { plainHost } = await import('../../core/route/host.js');
const { EdgeFields } = await import('../../core/http/edge-fields.js');
const { takeForward } = await import('../../core/http/max-forwards.js');
const { Framing, RequestHead } = await import('../../core/http/message.js');
const { RequestBodyReader } = await import('../../core/http/request-body.js');
const { RequestHeadScanner } = await import('../../core/http/request-head-scanner.js');
const { RequestIds } = await import('../../core/http/request-id.js');
const { ResponseReader } = await import('../../core/http/response-reader.js');
const { forwardableTrailers } = await import('../../core/http/trailers.js');
const { HpackDecoder } = await import('../../core/http2/hpack-decoder.js');
const { LiteralCache } = await import('../../core/http2/literal-cache.js');
const { HpackEncoder } = await import('../../core/http2/hpack-encoder.js');
const { RequestFields } = await import('../../core/http2/request-fields.js');
const { ResponseFields } = await import('../../core/http2/response-fields.js');
const { cookieValue } = await import('../../core/route/cookie.js');
const { findParameter } = await import('../../core/route/query.js');
const { Span } = await import('../../core/http/span.js');
const { withNewTrace } = await import('../../core/mirror/trace-fields.js');
const { bodyTypeOf, decodeText } = await import('../../core/compare/body.js');
const { parseJson } = await import('../../core/compare/json.js');
const { diffJson } = await import('../../core/compare/json-diff.js');
const { bodyText, diffText } = await import('../../core/compare/text-diff.js');
const { FieldDiff } = await import('../../core/compare/field-diff.js');
const { parseMarkup } = await import('../../core/compare/markup.js');
const { parseMediaType } = await import('../../core/compare/media-type.js');
const { PathRules } = await import('../../core/compare/path-rules.js');
const { parseEventStream, parseMultipart } = await import('../../core/compare/record-lists.js');
const { readResponse } = await import('../../core/compare/response.js');
const { LogRedaction, Redaction, redactNothingMore } = await import('../../core/redact.js');
const { Redactor } = await import('../../core/recording/redactor.js');
const { Recording } = await import('../../core/recording/recording.js');
const { decodeMessage } = await import('../../core/stream/message.js');
const { LogParser } = await import('../../core/hlog/log-parser.js');

const letters = [
  ...[
    ' ',
    '\t',
    ',',
    ';',
    ':',
    '=',
    '"',
    "'",
    '\\',
    '\r',
    '\n',
    '\r\n',
    '\0',
    '0',
    '9',
    'a',
    'A',
    '.',
    '-',
    '_',
    '/',
    '?',
  ],
  ...[
    '%',
    '&',
    '[',
    '{',
    '}',
    '<',
    '\x7f',
    '\x80',
    '\xa0',
    '\xff',
    ', ',
    ' ,',
    '; ',
    'a:\r\n',
    'a=',
    'a,',
    'for=',
    ';for="',
  ],
  ...[
    'token=',
    'eyJ-',
    'eyJa.',
    'bearer ',
    '"a":',
    '[1,',
    '{"a":',
    '%61',
    '://',
    '\\u0061',
    '0.0,',
    'close,',
    '1;a\r\n1\r\n',
  ],
];

type Place = (run: string) => void;

const redaction = new Redaction(redactNothingMore);
const quoting = new FieldEdits(
  { remove: [], set: [['x-b', '%REQ(x-a)%%REQ(x-missing?:path)%']], add: [] },
  'request',
);
const cors = new Cors({
  origins: [{ kind: 'regex', value: 'https://(.*a)*b?.test' }],
  methods: ['*'],
  headers: ['*'],
  expose: [],
  maxAgeS: null,
  credentials: true,
  forwardsUnmatched: false,
});
const noRules = {
  paths: new PathRules([]),
  tolerance: { relative: false, value: '0' },
  arrays: 'unordered',
  redaction,
} as const;

function request(text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  new RequestHeadScanner().scan(bytes, 0, bytes.length, bytes.length);
}

function response(text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new ResponseReader(nobody);
  reader.reset(nobody, false, false);
  reader.feed(bytes, 0, bytes.length);
}

const nobody = {
  onInterim: () => {},
  onHead: () => {},
  onBody: () => {},
  onTrailers: () => {},
  onEnd: () => {},
};

function chunks(text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new RequestBodyReader();
  reader.begin(Framing.CHUNKED, 0, '');
  reader.feed(bytes, 0, bytes.length, { onTrailers: () => {}, onPiece: () => {} });
}

/** A list of fields through the encoder and the decoder, as a head of either kind. */
function http2(...pairs: readonly (readonly [name: string, value: string])[]): void {
  const encoder = new HpackEncoder(4096, 4096);
  const decoder = new HpackDecoder(4096, new LiteralCache());
  const block = Buffer.alloc(256 * 1024);
  encoder.begin(block);
  for (const [name, value] of pairs) {
    const bytes = Buffer.from(name + value, 'latin1');
    encoder.field(bytes, 0, name.length, name.length, bytes.length);
  }
  const length = encoder.end();
  for (const fields of [new RequestFields(), new ResponseFields()]) {
    fields.begin();
    decoder.decode(block, 0, length, block.length, pairs.length, fields);
    fields.complete(true, false);
  }
}

function edge(fields: string, as: 'x-forwarded' | 'forwarded'): void {
  const plan = {
    ...edgeOff,
    forwarded: { mode: 'append', as },
    via: 'umbra',
    requestId: 'keep',
    trusted: ['10.0.0.0/8'],
  } as const;
  const head = Object.assign(new RequestHead(), { fields, host: 'h' });
  new EdgeFields(plan, new RequestIds(() => 1)).apply(head, { clientAddress: () => '10.0.0.1' });
}

function json(text: string, other = '{}'): void {
  harmless(() => diffJson(parseJson(text), parseJson(other), noRules, () => {}));
}

/** What is malformed is refused with an error, as it should be. */
function harmless(run: () => void): void {
  try {
    run();
  } catch {}
}

function recording(text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  const readAt = (into: Buffer, position: number): number => bytes.copy(into, 0, position);
  for (const _message of new Recording(readAt).messages());
}

const redactor = new Redactor({ ...redactNothingMore, query: ['key'] });
function message(type: string, text: string): void {
  const body = Buffer.from(text, 'latin1');
  // `token` makes it suspicious, so that the pre-filter does not pass it.
  redactor.message(`content-type: ${type}\r\nx-a: token ${line(text)}\r\n`, [body], body.length);
}

/** One line end would end the field line. */
const line = (run: string): string => run.replace(/[\r\n]/g, '');

const requestFields = [
  'Host',
  'Connection',
  'TE',
  'Expect',
  'Upgrade',
  'Content-Length',
  'Transfer-Encoding',
  'Cookie',
];
const responseFields = ['Connection', 'Content-Length', 'Transfer-Encoding', 'Date', 'Trailer', 'Set-Cookie'];
const places: Record<string, Place> = {
  'before a request': (run) => request(`${run}GET / HTTP/1.1\r\nHost: h\r\n\r\n`),
  'in a method': (run) => request(`G${run} / HTTP/1.1\r\nHost: h\r\n\r\n`),
  'in a target': (run) => request(`GET /${run} HTTP/1.1\r\nHost: h\r\n\r\n`),
  'in an absolute target': (run) => request(`GET http://${run} HTTP/1.1\r\nHost: h\r\n\r\n`),
  'in a field name': (run) => request(`GET / HTTP/1.1\r\nHost: h\r\nx${run}: 1\r\n\r\n`),
  'before a response': (run) => response(`${run}HTTP/1.1 200 OK\r\n\r\n`),
  'in a reason': (run) => response(`HTTP/1.1 200 ${run}\r\n\r\n`),
  'in a name of a response': (run) => response(`HTTP/1.1 200 OK\r\nx${run}: 1\r\n\r\n`),
  'before a chunk': (run) => chunks(`${run}1\r\na\r\n0\r\n\r\n`),
  'in a chunk extension': (run) => chunks(`1;a${run}\r\na\r\n0\r\n\r\n`),
  'in a trailer': (run) => chunks(`0\r\na: ${line(run)}b\r\n\r\n`),
  'in options that trailers are looked up in': (run) => {
    const names = Array.from({ length: run.length / 16 }, (_, i) => `${i}`);
    forwardableTrailers(`${names.join(': 1\r\n')}: 1\r\n`, names.join());
  },
  'in X-Forwarded-For': (run) =>
    edge(`x-forwarded-for: 10.0.0.2${line(run)}1\r\nvia: ${line(run)}\r\n`, 'x-forwarded'),
  'in Forwarded': (run) => edge(`forwarded: for=10.0.0.2${line(run)}1\r\n`, 'forwarded'),
  'in Max-Forwards': (run) =>
    void takeForward(Object.assign(new RequestHead(), { fields: `max-forwards: 1${line(run)}1\r\n` })),
  'in a name of HTTP/2': (run) => http2([`a${run}`, 'b']),
  'in a value of HTTP/2': (run) => http2(['x-a', `a${run}b`], ['x-a', `a${run}b`]),
  'in a path of HTTP/2': (run) => http2([':method', 'GET'], [':scheme', 'http'], [':path', `/${run}`]),
  'in an authority of HTTP/2': (run) => http2([':authority', `a${run}`], ['host', `a${run}`]),
  'in many fields of HTTP/2': (run) => {
    const some = [...run.slice(0, run.length / 32)];
    http2(...some.flatMap((letter, i) => [['cookie', letter] as const, [`x-${i}`, letter] as const]));
  },
  'in a cookie': (run) => void cookieValue(`cookie: ${line(run)}b=1\r\n`, 'a'),
  'in a query': (run) => void findParameter(`/?${run}b=1`, 1, 'a', new Span()),
  'in trace fields': (run) =>
    void withNewTrace(`traceparent: 00-${line(run)}0\r\nb3: 0${line(run)}0\r\n`, () => 1),
  'in a Content-Type': (run) => {
    bodyTypeOf(`text/plain${run}x`);
    harmless(() => decodeText(Buffer.of(), `text/x;${run}charset${run}=${run}x`));
  },
  'in a Host and in a text without case': (run) => void plainHost(`K\u212a${line(run)}:80`),
  'in a field that a header edit quotes': (run) => {
    const source = Object.assign(new FormatSource(), {
      fields: `x-a: ${line(run)}b\r\n`,
      target: `/${run}?${run}`,
    });
    quoting.apply(source.fields, source);
  },
  'in an Origin': (run) => {
    const fields = `origin: https://${line(run)}a.test\r\naccess-control-request-method: GET\r\n`;
    cors.preflight(Object.assign(new RequestHead(), { method: 'OPTIONS', fields }));
  },
  'in a body that is kept byte by byte': (run) => {
    const kept: Buffer[] = [];
    for (const byte of Buffer.from(run, 'latin1')) keepPiece(kept, Buffer.of(byte));
  },
  "in a line of umbra's log": (run) => void new LogRedaction(redactNothingMore).text(`x: ${run}y`),
  'in JSON': (run) => json(run),
  'in a JSON string': (run) => json(`{"a":"${run}"}`),
  'in a JSON number': (run) => json(`[1${run}1]`, `[2${run}1]`),
  'in text that is searched for secrets': (run) => void redaction.text(run),
  'in a secret': (run) => void (redaction.text(`password=${run}`) + redaction.text(`token: "${run}`)),
  'in nested secrets': (run) => void (redaction.text(`token={${run}`) + redaction.text(`Cookie: ${run}`)),
  'in credentials': (run) => void (redaction.text(`Bearer ${run}`) + redaction.text(`https://${run}@h/`)),
  'in a secret parameter': (run) =>
    void (redaction.form(`key=${run}`) + redaction.text(`/?a%3Ftoken%3D${run}`)),
  'in a secret element': (run) => void (redaction.text(`<pin${run}`) + redaction.text(`<pin>${run}`)),
  'in a recorded body': (run) => {
    const part = run.slice(0, run.length / 8);
    message('application/json', `{"token":1,"a":${part}`);
    message('application/json', `{"token":1,"a":"\\n${part}"}`);
  },
  'in a recorded body of parts': (run) => {
    const part = run.slice(0, run.length / 8);
    message(
      'multipart/form-data; boundary=b',
      `--b\r\ncontent-disposition: a; name=token${part}\r\n\r\n${part}--b--`,
    );
    message(`multipart/form-data; boundary=${line(part.slice(0, 70))}`, `token${part}`);
  },
  'in a text': (run) => diffText(`${run}a`, `${run}b`, redaction, bodyText, () => {}),
  'in words of a text': (run) => diffText(`a ${run} b`, `a ${run}c b`, redaction, bodyText, () => {}),
  'in markup': (run) => harmless(() => parseMarkup(`<a b="${run}" ${run}>${run}</a${run}`, true)),
  'in a multipart body': (run) =>
    harmless(() => parseMultipart(Buffer.from(run), parseMediaType(`a/b; boundary=b${run}`), String)),
  'in events': (run) => harmless(() => parseEventStream(`data: ${run}\n\n${run}`)),
  'in fields of a response': (run) => {
    const value = line(run);
    const head = (more: string): Buffer =>
      Buffer.from(
        `200 OK\r\nset-cookie: a${value}=${value}; ${value}\r\ncache-control: ${value}${more}\r\nvary: ${value}${more}`,
      );
    const response = (more: string) =>
      readResponse({ status: 200, head: head(more), body: Buffer.of(), truncated: false });
    new FieldDiff([], redaction).compare(response(''), response('b'), false, () => {});
  },
  'in a recording': (run) => recording(`WARC/1.0\r\nWARC-Type: request\r\n${run}\r\n\r\n`),
  'in a recorded request of GoReplay': (run) =>
    recording(`1 a 1\nGET / HTTP/1.1\r\nHost: h\r\n${run}\r\n\r\n\n🐵🙈🙉\n`),
  'in a recorded response': (run) => recording(`2 a 1\nHTTP/1.1 200 OK\r\n${run}\r\n\r\n\n🐵🙈🙉\n`),
  'in a message of a stream': (run) =>
    void decodeMessage(`1; ${run}`, Buffer.from(`GET / HTTP/1.1\r\nHost: h\r\nx: ${run}\r\n\r\n`, 'latin1')),
  'in a histogram log': (run) =>
    new LogParser(
      () => {},
      () => {},
    ).line(`Tag=a,1${line(run)},2,3,x`),
};
for (const name of requestFields) {
  places[`in ${name} of a request`] = (run) =>
    request(`POST / HTTP/1.1\r\nHost: h\r\n${name}: 2${line(run)}2\r\nx-a: 1\r\n\r\n`);
}
for (const name of responseFields) {
  places[`in ${name} of a response`] = (run) =>
    response(`HTTP/1.1 200 OK\r\n${name}: 2${line(run)}2\r\nx-a: 1\r\n\r\n`);
}

const half = 8 * 1024;
/** Twice the run may take twice the steps, and a little for what is done once. */
const slack = 2000;

for (const [name, place] of Object.entries(places)) {
  t.test(`a long run ${name} costs steps in proportion`, async (t) => {
    const feed = (bytes: number, some: readonly string[]) => () => {
      for (const letter of some) place(letter.repeat(Math.ceil(bytes / letter.length)));
    };
    const isLinear = (some: readonly string[]): boolean => {
      const [less, more] = [half, 2 * half].map((bytes) => steps.count(feed(bytes, some)));
      return more! <= 2.5 * less! + slack;
    };
    feed(half, letters)();
    // Counting takes long, and the square of one run stands out of the sum of all.
    if (isLinear(letters)) t.pass();
    else for (const letter of letters) t.ok(isLinear([letter]), JSON.stringify(letter));
  });
}
