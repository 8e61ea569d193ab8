/** Parses `--filter` of `umbra replay`, which selects the recorded requests to send. */
import { asciiLowerCase } from '../http/chars.js';
import { fieldValue } from '../http/fields.js';
import { withoutPort } from '../http/host.js';
import type { RecordedExchange } from '../recording/recorded.js';
import type { Filter } from '../recording/timeline.js';
import { withoutBlanks } from '../trim.js';

export const filterExpected =
  'expected method:GET,HEAD, path:/prefix, host:NAME, route:NAME or header:NAME=VALUE, or one of them after !';

/** `parseFilter` returns null when the text is invalid. */
export function parseFilter(text: string): Filter | null {
  if (text.startsWith('!')) {
    const inner = parseFilter(text.slice(1));
    return inner === null ? null : (exchange) => !inner(exchange);
  }
  const colon = text.indexOf(':');
  const value = text.slice(colon + 1);
  if (colon < 0 || value === '') return null;
  switch (text.slice(0, colon)) {
    case 'method': {
      const methods = value.toUpperCase().split(',');
      return ({ request }) => methods.includes(request.method);
    }
    case 'path':
      return ({ request }) => request.target.startsWith(value);
    case 'host':
      return ({ request }) => asciiLowerCase(withoutPort(request.host)) === asciiLowerCase(value);
    case 'route':
      return ({ route }) => route === value;
    case 'header':
      return byHeader(value);
    default:
      return null;
  }
}

/**
 * The key by which `--order` sends requests one after the other: `header:NAME`, `cookie:NAME`, or `recorded`,
 * the key of the mirror's `order`.
 */
export type OrderKey = (exchange: RecordedExchange) => string | null;

export function parseOrder(text: string): OrderKey | null {
  if (text === 'recorded') return ({ order }) => (order === '' ? null : order);
  const parts = /^(header|cookie):([!#$%&'*+.^_`|~\w-]+)$/.exec(text);
  if (parts === null) return null;
  const [, kind, name] = parts;
  if (kind === 'header') return ({ request }) => fieldValue(request.fields, name.toLowerCase());
  return ({ request }) => {
    const cookies = (fieldValue(request.fields, 'cookie') ?? '').split(';').map(withoutBlanks);
    return cookies.find((cookie) => cookie.startsWith(`${name}=`)) ?? null;
  };
}

function byHeader(text: string): Filter | null {
  const sign = text.indexOf('=');
  if (sign <= 0) return null;
  const name = text.slice(0, sign).toLowerCase();
  const value = text.slice(sign + 1);
  return ({ request }) => fieldValue(request.fields, name) === value;
}
