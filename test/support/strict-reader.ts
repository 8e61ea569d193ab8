/** What a request was, to a version that forgives nothing. */
export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** tchar, so no white space before the colon; values without control characters. */
const fieldLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;
const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP\/1\.1$/;
const chunkSize = /^[0-9a-f]+$/;

/**
 * Reads the requests of one connection with none of umbra's code, and notes everything that is not HTTP/1.1
 * in its strictest reading. A request that is not whole yet is no fault.
 */
export class StrictReader {
  readonly faults: string[] = [];
  #text = '';

  /** The requests that these bytes make whole. */
  read(bytes: Buffer): StrictRequest[] {
    this.#text += bytes.toString('latin1');
    const read: StrictRequest[] = [];
    for (let next = this.#next(); next !== null; next = this.#next()) read.push(next);
    return read;
  }

  #next(): StrictRequest | null {
    if (this.faults.length > 0) return null;
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const [first, ...lines] = this.#text.slice(0, headEnd).split('\r\n');
    const line = requestLine.exec(first);
    if (line === null) return this.#fault(`request line ${first}`);
    const strange = lines.find((field) => !fieldLine.test(field));
    if (strange !== undefined) return this.#fault(`field line ${strange}`);
    const values = (name: string): string[] =>
      lines
        .filter((field) => field.toLowerCase().startsWith(`${name}:`))
        .map((field) => field.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, ''));
    const [hosts, lengths, codings] = ['host', 'content-length', 'transfer-encoding'].map(values);
    if (hosts.length !== 1) return this.#fault(`${hosts.length} hosts`);
    if (lengths.length + codings.length > 1) return this.#fault('framed twice');
    if (codings.length === 1 && codings[0] !== 'chunked') return this.#fault(`coding ${codings[0]}`);
    if (lengths.length === 1 && !/^\d+$/.test(lengths[0])) return this.#fault(`length ${lengths[0]}`);
    const bodyStart = headEnd + 4;
    const body =
      codings.length === 1 ? this.#chunks(bodyStart) : this.#bytes(bodyStart, Number(lengths[0] ?? 0));
    if (body === null) return null;
    this.#text = this.#text.slice(body.end);
    return { method: line[1], target: line[2], body: body.text };
  }

  #bytes(start: number, count: number): { text: string; end: number } | null {
    const end = start + count;
    return this.#text.length < end ? null : { text: this.#text.slice(start, end), end };
  }

  #chunks(start: number): { text: string; end: number } | null {
    let text = '';
    for (let at = start; ; ) {
      const lineEnd = this.#text.indexOf('\r\n', at);
      if (lineEnd < 0) return null;
      const size = this.#text.slice(at, lineEnd);
      if (!chunkSize.test(size)) return this.#fault(`chunk size ${size}`);
      const count = Number.parseInt(size, 16);
      if (count === 0) return this.#trailers(text, lineEnd + 2);
      at = lineEnd + 2 + count + 2;
      if (this.#text.length < at) return null;
      if (this.#text.slice(at - 2, at) !== '\r\n') return this.#fault('no CRLF after a chunk');
      text += this.#text.slice(at - 2 - count, at - 2);
    }
  }

  #trailers(text: string, start: number): { text: string; end: number } | null {
    for (let at = start; ; ) {
      const lineEnd = this.#text.indexOf('\r\n', at);
      if (lineEnd < 0) return null;
      if (lineEnd === at) return { text, end: lineEnd + 2 };
      const line = this.#text.slice(at, lineEnd);
      if (!fieldLine.test(line)) return this.#fault(`trailer ${line}`);
      at = lineEnd + 2;
    }
  }

  #fault(what: string): null {
    this.faults.push(what);
    return null;
  }
}
