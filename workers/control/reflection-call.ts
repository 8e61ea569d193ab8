/** Reads the types of a version by server reflection, over HTTP/2. Control thread only. */

import { type Failure, failureReasons } from '../../core/errors.js';
import { GrpcCall } from '../../core/grpc/grpc-call.js';
import { GrpcStatus, grpcStatusName } from '../../core/grpc/grpc-status.js';
import { framedMessage, MessageCounter } from '../../core/grpc/message-counter.js';
import { Framing, TAKES_TRAILERS } from '../../core/http/message.js';
import type { ResponseHead } from '../../core/http/response-head.js';
import { limits } from '../../core/limits.js';
import type { VersionPlan } from '../../core/plan.js';
import { DescriptorFault } from '../../core/protobuf/descriptors.js';
import { Reflection } from '../../core/protobuf/reflection.js';
import { Calls } from '../../core/upstream/calls.js';
import { VersionPool } from '../../core/upstream/pool.js';
import type { UpstreamResources } from '../../core/upstream/resources.js';
import type { ResponseSink } from '../../core/upstream/response-sink.js';
import type { Target } from '../../core/upstream/target.js';
import { UpstreamRequest } from '../../core/upstream/upstream-request.js';

/** The newest first; older servers have the other one alone. */
const services = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];
const timeoutMs = 10_000;
const noBytes = Buffer.alloc(0);

/** Resolves with a FileDescriptorSet. Rejects with an Error whose message is the end of a sentence. */
export async function reflectedTypes(
  version: VersionPlan,
  targets: readonly Target[],
  resources: UpstreamResources,
): Promise<Buffer> {
  // gRPC only goes over HTTP/2, whatever else the version speaks.
  const protocol = version.protocol === 'auto' ? 'auto' : 'http2';
  const pool = new VersionPool({ ...version, protocol, connectionsMax: 1 }, resources, targets);
  try {
    for (const service of services) {
      const set = await new Promise<Buffer | null>((resolve, reject) =>
        new ReflectionCall(resolve, reject).start(pool, service),
      );
      if (set !== null) return set;
    }
  } finally {
    pool.close();
  }
  throw new Error('it has no server reflection');
}

class ReflectionCall implements ResponseSink {
  readonly #resolve: (set: Buffer | null) => void;
  readonly #reject: (error: Error) => void;
  readonly #calls = new Calls(this);
  readonly #request = new UpstreamRequest();
  readonly #grpc = new GrpcCall();
  readonly #reflection = new Reflection({
    bytesMax: limits.descriptorBytes,
    filesMax: limits.reflectedFiles,
  });
  /** What has arrived of the message that is incomplete. */
  #held: Buffer = noBytes;
  #isWhole = false;

  /** `resolve` gets null where the server does not have the service. */
  constructor(resolve: (set: Buffer | null) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(pool: VersionPool, service: string): void {
    const request = this.#request;
    request.method = 'POST';
    request.target = `/${service}/ServerReflectionInfo`;
    request.host = pool.plan.endpoints[0]?.authority ?? '';
    request.fields = `user-agent: umbra-reflection\r\ncontent-type: application/grpc\r\n${TAKES_TRAILERS}`;
    request.framing = Framing.CHUNKED;
    request.totalMs = timeoutMs;
    request.grpc = this.#grpc;
    request.resends.begin(request.method, null);
    this.#grpc.begin();
    this.#calls.start(pool, request);
    this.#ask();
  }

  #ask(): void {
    const message = this.#reflection.next();
    this.#isWhole = message === null;
    this.#calls.current.write(message === null ? noBytes : framedMessage(message), message === null);
  }

  batch(run: () => void): void {
    run();
  }
  onInterim(): void {}
  onSwitch(): void {}
  onDrain(): void {}
  onSent(): void {}

  onHead(head: ResponseHead): void {
    this.#grpc.onHead(head);
  }

  onResponseBody(bytes: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    if (this.#held.byteLength > limits.descriptorBytes) {
      this.#fail(`its answer is larger than ${limits.descriptorBytes} bytes`);
      return;
    }
    try {
      this.#takeMessages();
    } catch (error) {
      if (!(error instanceof DescriptorFault)) throw error;
      this.#fail(error.message);
    }
  }

  #takeMessages(): void {
    const { prefixBytes } = MessageCounter;
    while (this.#held.byteLength >= prefixBytes) {
      const end = prefixBytes + this.#held.readUInt32BE(1);
      if (this.#held.byteLength < end) return;
      const message = this.#held.subarray(prefixBytes, end);
      this.#held = this.#held.subarray(end);
      this.#reflection.take(message);
      if (!this.#isWhole) this.#ask();
    }
  }

  onResponseTrailers(lines: string): void {
    this.#grpc.onTrailers(lines);
  }

  onEnd(): void {
    this.#grpc.onEnd(this.#calls.current.figures.status);
    const { status } = this.#grpc;
    if (status === GrpcStatus.OK && this.#isWhole) this.#resolve(this.#reflection.set());
    else if (status === GrpcStatus.UNIMPLEMENTED) this.#resolve(null);
    else this.#reject(new Error(`it answered with status ${grpcStatusName(status)}`));
  }

  onFailure(failure: Failure): void {
    this.#reject(new Error(`the call failed (${failureReasons[failure]})`));
  }

  #fail(why: string): void {
    this.#calls.current.cancel();
    this.#reject(new Error(why));
  }
}
