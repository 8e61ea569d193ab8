/**
 * What commands in header values may ask of one exchange or copy (core/http/value-format). It is filled in
 * only where a value has commands; owners reuse one object.
 */
import type { RequestHead } from './message.js';
import { schemeOf } from './scheme.js';

/** The client's connection, as an engine knows it. */
export interface Peer {
  clientAddress(): string;
  clientPort(): number;
}

interface RequestParts {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly fields: string;
}

export class FormatSource {
  method = '';
  target = '';
  host = '';
  /** Those of the request, as far as edits have come; wire strings, as all texts here. */
  fields = '';
  scheme: 'http' | 'https' = 'http';
  http10 = false;
  /** The client's address, as a trusted proxy has named it or as the connection has it. */
  client = '';
  /** The address and port of the connection. */
  peer = '';
  peerPort = 0;
  /** Port of the listener; 0: it has none. */
  localPort = 0;
  route = '';
  /** Name of the version that was chosen; empty where umbra answers by itself. */
  version = '';
  /** Milliseconds since 1970. */
  startMs = 0;
  /** Fields of the response, as far as edits have come. */
  responseFields = '';
  status = 0;
  /** The endpoint that answered, with its port. */
  upstream = '';
  /** The times from the request's head to its last byte, and to the response's head; below 0: not known. */
  requestMs = -1;
  responseMs = -1;

  /** A request has come. */
  begin(head: RequestHead, peer: Peer, route: string, version: string, startMs: number): void {
    this.takeParts(head);
    this.scheme = schemeOf(head);
    this.http10 = head.http10;
    this.peer = peer.clientAddress();
    this.peerPort = peer.clientPort();
    this.client = head.client === '' ? this.peer : head.client;
    this.localPort = head.localPort;
    this.route = route;
    this.version = version;
    this.startMs = startMs;
    this.responseFields = '';
    this.status = 0;
    this.upstream = '';
    this.requestMs = -1;
    this.responseMs = -1;
  }

  /** The request as it is by now. */
  takeParts({ method, target, host, fields }: RequestParts): void {
    this.method = method;
    this.target = target;
    this.host = host;
    this.fields = fields;
  }
}
