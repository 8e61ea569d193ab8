/**
 * The values that commands in header values may read of one exchange or copy (core/http/value-format). It is
 * filled only if a value has commands; owners reuse one object.
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
  /** Field lines of the request after the edits so far. All texts here are wire strings. */
  fields = '';
  scheme: 'http' | 'https' = 'http';
  http10 = false;
  http2 = false;
  /** The client's address, as a trusted proxy reported it or as the connection has it. */
  client = '';
  /** The address and port of the connection. */
  peer = '';
  peerPort = 0;
  /** Port of the listener; 0 when it has none. */
  localPort = 0;
  route = '';
  /** Name of the chosen version; empty when umbra answers itself. */
  version = '';
  /** Milliseconds since 1970. */
  startMs = 0;
  /** Field lines of the response after the edits so far. */
  responseFields = '';
  status = 0;
  /** The endpoint that answered, with its port. */
  upstream = '';
  /**
   * Milliseconds from the request's head to its last byte, and to the response's head; negative when unknown.
   */
  requestMs = -1;
  responseMs = -1;

  /** `begin` sets the values of a new request. */
  begin(head: RequestHead, peer: Peer, route: string, version: string, startMs: number): void {
    this.takeParts(head);
    this.scheme = schemeOf(head);
    this.http10 = head.http10;
    this.http2 = head.http2;
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

  /** `takeParts` sets the current parts of the request. */
  takeParts({ method, target, host, fields }: RequestParts): void {
    this.method = method;
    this.target = target;
    this.host = host;
    this.fields = fields;
  }
}
