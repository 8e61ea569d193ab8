/** The field lines of a request from a browser, as names and values stand in most of them. */
const lines = [
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  'accept: text/html,application/xhtml+xml',
  'accept-language: en',
  'x-request-id: 7f3c1d2e-9a51-4a7e-b0a5-22b1f0c1d9aa',
  'cookie: theme=dark; session=4cf1b2a07d31; lang=en',
];

/** `browserFields` returns them as a wire string with one more line at the end. */
export function browserFields(last: string): string {
  return [...lines, last].map((line) => `${line}\r\n`).join('');
}
