import type { EndpointError } from '../endpoint-cause.js';
import type { Failure } from '../errors.js';
import type { Endpoint } from './endpoint.js';
import type { SocketHome } from './socket.js';

/** The pool that opened a connection which several requests share. */
export interface SharedHome extends SocketHome {
  /** The pool is draining: idle connections close. */
  readonly closed: boolean;
  /** Records results of an endpoint (core/upstream/endpoint-set). */
  readonly endpointSet: {
    refused(endpoint: Endpoint): void;
    answered(endpoint: Endpoint): void;
    failed(endpoint: Endpoint, error: EndpointError | null): void;
  };
  /** A connection to this endpoint could not be made. */
  noConnection(endpoint: Endpoint, failure: Failure): void;
}
