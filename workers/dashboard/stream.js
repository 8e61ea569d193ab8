/**
 * Server-sent events over fetch: `EventSource` can't send a token. Reconnects by itself, asks for what it
 * missed, and rests while nobody looks at the page, so that tabs in the background cost nothing and a
 * browser's six connections to one server are not used up.
 */

/** The server sends every second; silence for this long means that the connection is dead. */
const silenceMs = 6000;
const backOffFirstMs = 500;
const backOffMaxMs = 10_000;
/** A page that is out of sight for this long stops to listen. */
const hiddenMs = 15_000;

export class Stream {
  #on;
  #token;
  #lastId = '';
  #failures = 0;
  #abort = null;
  #timer = 0;
  #hideTimer = 0;
  #stopped = false;

  /**
   * `on.event(name, text)`, `on.open()`, `on.lost({ inMs, why })`, `on.tokenNeeded({ wrong, wait })`,
   * `on.paused()`. `token()` gives the token, or null.
   */
  constructor(on, token) {
    this.#on = on;
    this.#token = token;
    document.addEventListener('visibilitychange', () => this.#look());
  }

  /** Connects now, whatever it was waiting for. */
  connect() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#stopped = false;
    const abort = new AbortController();
    this.#abort = abort;
    this.#run(abort).catch((error) => {
      if (this.#abort === abort) this.#lose(error instanceof Error ? error.message : String(error));
    });
  }

  #stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
  }

  async #run(abort) {
    const headers = { accept: 'text/event-stream' };
    const token = this.#token();
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (this.#lastId !== '') headers['last-event-id'] = this.#lastId;
    const response = await fetch('api/stream', { headers, cache: 'no-store', signal: abort.signal });
    if (response.status === 401 || (response.status === 429 && token !== null)) {
      this.#stop();
      this.#on.tokenNeeded({ wrong: token !== null, wait: response.status === 429 });
      return;
    }
    if (!response.ok) throw new Error(await reason(response));
    this.#failures = 0;
    this.#on.open();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser((event) => {
      if (event.id !== '') this.#lastId = event.id;
      this.#on.event(event.name, event.data);
    });
    for (;;) {
      const timer = setTimeout(() => abort.abort(new Error('no sign of life')), silenceMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (this.#abort !== abort) return;
      if (done) throw new Error('umbra ended the stream');
      parser.add(value);
    }
  }

  #lose(why) {
    this.#abort = null;
    if (this.#stopped) return;
    const inMs = Math.min(backOffMaxMs, backOffFirstMs * 2 ** this.#failures++);
    this.#on.lost({ inMs, why });
    this.#timer = setTimeout(() => this.connect(), inMs);
  }

  #look() {
    clearTimeout(this.#hideTimer);
    if (document.hidden) {
      this.#hideTimer = setTimeout(() => {
        if (this.#stopped) return;
        this.#stop();
        this.#on.paused();
        this.#hideTimer = -1;
      }, hiddenMs);
    } else if (this.#hideTimer === -1) {
      this.#hideTimer = 0;
      this.connect();
    }
  }
}

/** Takes an event stream apart (WHATWG HTML, "Parsing an event stream"), in whatever pieces it comes. */
class EventParser {
  #onEvent;
  #rest = '';
  #name = '';
  #id = '';
  #data = [];

  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  add(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === '') {
      if (this.#data.length > 0) {
        this.#onEvent({ name: this.#name || 'message', id: this.#id, data: this.#data.join('\n') });
      }
      this.#name = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }
}

async function reason(response) {
  try {
    return (await response.json()).error ?? `status ${response.status}`;
  } catch {
    return `status ${response.status}`;
  }
}
