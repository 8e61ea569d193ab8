/** The message of `umbra load --grpc`, from JSON and a descriptor set. */
import { readFile } from 'node:fs/promises';
import { didYouMean } from '../../config/suggest.js';
import { framedMessage } from '../../core/grpc/message-counter.js';
import { DescriptorFault, Descriptors } from '../../core/protobuf/descriptors.js';
import { encodeJsonMessage, JsonMessageFault } from '../../core/protobuf/json-message.js';

export interface GrpcWords {
  /** `package.Service/Method`. */
  readonly method: string;
  /** The path of the descriptor set. */
  readonly descriptors: string;
  /** JSON, or `@` and the path of a file of it. */
  readonly data: string;
}

/** The message with its prefix. Throws an Error that says what is wrong, and where. */
export async function grpcCallBody({ method, descriptors: path, data }: GrpcWords): Promise<Buffer> {
  const descriptors = await readDescriptors(path);
  const called = descriptors.method(method);
  if (called === null) {
    const { methodNames } = descriptors;
    const hint = didYouMean(method, methodNames) || `; it has ${methodNames.join(', ') || 'no methods'}`;
    throw new Error(`${path} has no method ${method}${hint}`);
  }
  if (called.clientStreaming)
    throw new Error(`${method} takes a stream of messages; umbra load sends one message for each call`);
  const json = await readJson(data);
  try {
    // A set without the type of a method is refused when it is read.
    return framedMessage(encodeJsonMessage(json, descriptors.message(called.input)!, descriptors));
  } catch (error) {
    if (error instanceof JsonMessageFault) throw new Error(`--data: ${error.message}`);
    throw error;
  }
}

async function readDescriptors(path: string): Promise<Descriptors> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new Error(`can't read the descriptors: ${(error as Error).message}`);
  }
  try {
    return Descriptors.read(bytes);
  } catch (error) {
    if (error instanceof DescriptorFault) throw new Error(`${path}: ${error.message}`);
    throw error;
  }
}

async function readJson(data: string): Promise<unknown> {
  let text = data;
  if (data.startsWith('@')) {
    try {
      text = await readFile(data.slice(1), 'utf8');
    } catch (error) {
      throw new Error(`can't read the data: ${(error as Error).message}`);
    }
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`--data is not JSON: ${(error as Error).message}`);
  }
}
