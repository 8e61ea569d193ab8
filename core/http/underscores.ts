/**
 * Fields whose names have underscores. Servers that pass fields to programs as variables (RFC 3875, section
 * 4.1.18) treat an underscore as a dash, so `X_Forwarded_For` reaches WSGI, CGI and PHP as `X-Forwarded-For`.
 */

const UNDERSCORE = '_';

/**
 * Names, in lower case, that umbra sets, removes or trusts. No other field may be mistaken for one of them.
 */
const ownNames = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
  'x-request-id',
  'x-umbra-mirror',
];

/** `hasUnderscores` returns true when the name of a line of `fields` (a wire string) has an underscore. */
export function hasUnderscores(fields: string): boolean {
  return fields.includes(UNDERSCORE) && withoutLines(fields, isUnderscored) !== fields;
}

/** `withoutUnderscores` returns `fields` without the lines whose names have underscores. */
export function withoutUnderscores(fields: string): string {
  return fields.includes(UNDERSCORE) ? withoutLines(fields, isUnderscored) : fields;
}

/**
 * `withoutDisguises` returns `fields` without the lines whose names are one of `ownNames` with underscores.
 */
export function withoutDisguises(fields: string): string {
  return fields.includes(UNDERSCORE) ? withoutLines(fields, isDisguise) : fields;
}

function isUnderscored(name: string): boolean {
  return name.includes(UNDERSCORE);
}

function isDisguise(name: string): boolean {
  return isUnderscored(name) && ownNames.includes(name.toLowerCase().replaceAll(UNDERSCORE, '-'));
}

function withoutLines(fields: string, isOut: (name: string) => boolean): string {
  let kept = '';
  let keptFrom = 0;
  for (let from = 0; from < fields.length; ) {
    const to = fields.indexOf('\n', from) + 1;
    if (isOut(fields.slice(from, fields.indexOf(':', from)))) {
      kept += fields.slice(keptFrom, from);
      keptFrom = to;
    }
    from = to;
  }
  return keptFrom === 0 ? fields : kept + fields.slice(keptFrom);
}
