/**
 * Requests to the admin API, with the token if this tab has one. It is kept in sessionStorage, which ends
 * with the tab.
 */

const tokenKey = 'umbra.token';
/** A change waits until every thread has taken it, which takes milliseconds. */
const patienceMs = 15_000;

export function token() {
  return sessionStorage.getItem(tokenKey);
}

export function keepToken(value) {
  if (value === null) sessionStorage.removeItem(tokenKey);
  else sessionStorage.setItem(tokenKey, value);
}

/**
 * Rejects with an Error that says in the server's words what it refused; `status` is 0 where it did not
 * answer.
 */
export async function send(method, path, body) {
  const headers = { 'x-umbra-by': 'page' };
  const known = token();
  if (known !== null) headers.authorization = `Bearer ${known}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response;
  let answer = null;
  try {
    response = await fetch(path, {
      method,
      headers,
      cache: 'no-store',
      signal: AbortSignal.timeout(patienceMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    answer = await response.json().catch(() => null);
  } catch (error) {
    throw new ApiError(
      0,
      error.name === 'TimeoutError' ? 'umbra did not answer in time' : 'umbra cannot be reached',
    );
  }
  if (!response.ok) throw new ApiError(response.status, answer?.error ?? `umbra answered ${response.status}`);
  return answer;
}

class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}
