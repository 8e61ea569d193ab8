import { UpstreamRequest } from '../../core/upstream/upstream-request.js';

/** What may be set of a request; `resends` begins without a policy. */
export type RequestChanges = Partial<Omit<UpstreamRequest, 'resends'>>;

/** A request to be sent: `GET /` of `origin` with ten seconds, and with `changes`. */
export function requestOf(changes: RequestChanges = {}): UpstreamRequest {
  const request = Object.assign(new UpstreamRequest(), { host: 'origin', totalMs: 10_000, ...changes });
  request.resends.begin(request.method, null);
  return request;
}
