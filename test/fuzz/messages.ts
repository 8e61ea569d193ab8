/**
 * Messages that are nearly right: made by a grammar of what goes wrong in HTTP/1.1, then bent byte by byte.
 * One char is one byte.
 */
import type { Chance } from './random.js';

const nasty = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  '\t',
  ' ',
  ':',
  ',',
  ';',
  '"',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  '-',
  '+',
  '/',
  '*',
  '#',
  '%',
  'HTTP/1.1',
  'HTTP/1.0',
  'Host: h\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  '0\r\n\r\n',
  'ffffffff',
  '\r\n ',
  ' :',
] as const;
/** What a parser may go over again and again where a run of it stands in its way. */
const worst = [
  ' ',
  '\t',
  ',',
  ';',
  ':',
  '=',
  '"',
  '\\',
  '0',
  'a',
  '.',
  '-',
  '/',
  '\r\n',
  '\xa0',
  '\xff',
  'eyJ-',
  'a,',
] as const;
const worstCharsMax = 64 * 1024;
const names = [
  'X-A',
  'x-b',
  'Cookie',
  'Accept',
  'Via',
  'Set-Cookie',
  'Date',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Trailer',
  'X-Hop',
  'Max-Forwards',
] as const;
const values = [
  '1',
  '',
  ' v ',
  'a, b',
  'caf\xc3\xa9',
  'caf\xe9',
  '"q\\"',
  'x'.repeat(300),
  'x'.repeat(5000),
] as const;
const lengths = [
  '5',
  '0',
  '05',
  ' 5',
  '5 ',
  '5, 5',
  '5,6',
  '+5',
  '-5',
  '5.0',
  '0x5',
  '',
  '99999999999999999999',
  '4',
  '6',
] as const;
const codings = [
  'chunked',
  'Chunked',
  'chunked, chunked',
  'gzip, chunked',
  'chunked, gzip',
  'identity',
  'identity, chunked',
  ' chunked',
  'chunked;q=1',
  '',
  'xchunked',
] as const;
const connectionOptions = [
  'close',
  'keep-alive',
  'x-hop',
  'close, x-hop',
  'upgrade',
  'content-length',
  'host',
  ',',
  'keep-alive, close',
] as const;
const bodies = ['', 'hello', 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n', '\r\n', '\0\xff'] as const;
const extensions = ['', '', '', ';a', ';a=b', ';a="b c"', ' ', ';\n', `;${'e'.repeat(5000)}`] as const;
const sizes = ['', '', '', '0', '000000000000000000000', 'F', '0x', ' ', 'fffffffffffffff'] as const;

export function anyRequest(chance: Chance): string {
  const method = chance.one([
    'GET',
    'GET',
    'POST',
    'POST',
    'PUT',
    'HEAD',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'get',
    'BREW',
    'CONNECT',
    'G(T',
  ]);
  const target = chance.one([
    '/',
    '/a?b=c',
    '/a?b=c',
    '/caf\xe9',
    '*',
    'http://other/x',
    'http://u@o:1/?',
    'h:1',
    '/a#b',
    '//x',
    '/\x01',
    `/${'t'.repeat(3000)}`,
    '',
  ]);
  const version = chance.one([
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'http/1.1',
  ]);
  const space = chance.onceIn(30) ? chance.one(['  ', '\t', '']) : ' ';
  const lines = [`${method}${space}${target} ${version}`];
  if (!chance.onceIn(12)) lines.push(`Host: ${chance.one(['h', 'h', 'h:80', '[::1]:1', 'h, i', 'a b', ''])}`);
  if (chance.onceIn(15)) lines.push('host: other');
  if (chance.onceIn(10)) lines.push(`Expect: ${chance.one(['100-continue', '100-CONTINUE', 'more'])}`);
  if (chance.onceIn(12)) lines.push(`Upgrade: ${chance.one(['websocket', 'custom/1'])}`);
  return bent(chance, `${chance.onceIn(15) ? '\r\n' : ''}${message(chance, lines)}`);
}

/** Runs of one char are printed with their length. */
export function brief(text: string): string {
  return text.replace(/(.)\1{40,}/g, (run: string, char: string) => `${char}{${run.length}}`);
}

export function shown(text: string): string {
  return brief(JSON.stringify(text));
}

export function anyResponse(chance: Chance): string {
  let text = '';
  while (chance.onceIn(6))
    text += chance.one([
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
      'HTTP/1.1 199 \r\nContent-Length: 5\r\n\r\n',
    ]);
  const version = chance.one(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2', 'ICY']);
  const status = chance.one([
    '200',
    '200',
    '200',
    '204',
    '304',
    '404',
    '500',
    '999',
    '101',
    '099',
    '20',
    '2000',
    '+20',
    '',
  ]);
  const reason = chance.one([' OK', ' ', '', ' caf\xe9', ' a\tb', ' \0']);
  text += message(chance, [`${version} ${status}${reason}`]);
  if (chance.onceIn(15)) text += 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';
  return bent(chance, text);
}

/** Fields and a body behind the start line. */
function message(chance: Chance, lines: string[]): string {
  for (let i = chance.below(4); i > 0; i--) lines.push(field(chance));
  if (chance.onceIn(200)) for (let i = 0; i < 600; i++) lines.push('x: y');
  const framing = chance.one(['none', 'none', 'length', 'length', 'chunked', 'chunked', 'both']);
  const body = chance.one(bodies);
  if (framing === 'length' || framing === 'both') {
    const length = chance.onceIn(3) ? chance.one(lengths) : String(body.length);
    lines.push(`${chance.one(['Content-Length', 'content-length', 'CONTENT-LENGTH'])}: ${length}`);
    if (chance.onceIn(8)) lines.push(`Content-Length: ${chance.one(lengths)}`);
  }
  if (framing === 'chunked' || framing === 'both') {
    lines.push(`Transfer-Encoding: ${chance.onceIn(3) ? chance.one(codings) : 'chunked'}`);
    if (chance.onceIn(10)) lines.push('Transfer-Encoding: chunked');
  }
  if (chance.onceIn(3)) lines.push(`Connection: ${chance.one(connectionOptions)}`);
  // The order of fields must not matter, but a parser may think otherwise.
  if (chance.onceIn(2)) lines.splice(1, 0, ...lines.splice(1).reverse());
  const framed = framing === 'chunked' || framing === 'both' ? chunks(chance, body) : body;
  return `${lines.join('\r\n')}\r\n\r\n${framing === 'none' ? '' : framed}`;
}

function field(chance: Chance): string {
  const separator = chance.onceIn(20) ? chance.one([' : ', ' :', ':\t', ': \r\n ', '']) : ': ';
  return `${chance.one(names)}${separator}${chance.one(values)}`;
}

function chunks(chance: Chance, body: string): string {
  let text = '';
  for (const piece of chance.pieces(body, 3)) {
    text += `${chance.one(sizes)}${piece.length.toString(16)}${chance.one(extensions)}\r\n${piece}${chance.onceIn(25) ? chance.one(['\n', '', '\r\n\r\n']) : '\r\n'}`;
  }
  const trailers = chance.onceIn(4) ? `${field(chance)}\r\n` : '';
  return chance.onceIn(12) ? text : `${text}0${chance.one(extensions)}\r\n${trailers}\r\n`;
}

/** A few bytes of one message in three are changed, taken out, put in, or doubled. */
function bent(chance: Chance, text: string): string {
  if (!chance.onceIn(3)) return text;
  let result = text;
  for (let i = 1 + chance.below(3); i > 0; i--) {
    const at = chance.below(result.length + 1);
    const length = chance.onceIn(4) ? chance.below(20) : 1;
    const rest = result.slice(at + length);
    if (chance.onceIn(20)) {
      const letter = chance.one(worst);
      result = result.slice(0, at) + letter.repeat(chance.below(worstCharsMax / letter.length)) + rest;
      continue;
    }
    switch (chance.below(5)) {
      case 0:
        result = result.slice(0, at) + rest;
        break;
      case 1:
        result = result.slice(0, at) + chance.one(nasty) + result.slice(at);
        break;
      case 2:
        result = result.slice(0, at) + String.fromCharCode(chance.below(256)) + rest;
        break;
      case 3:
        result = result.slice(0, at + length) + result.slice(at);
        break;
      default:
        result = result.slice(0, at);
    }
  }
  return result;
}
