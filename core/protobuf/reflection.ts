/**
 * The types of a server by reflection (grpc/reflection/v1/reflection.proto): a stream in which each request
 * is answered before the next one. It asks for the services, then for the file of each, then for the imports
 * that are missing. The messages are those of `v1alpha` too.
 */
import { DescriptorFault } from './descriptors.js';
import { readFields, type WireBounds, WireFault, type WireField } from './wire-format.js';
import { bytesField } from './wire-writer.js';

const REQUEST = { FILE_BY_NAME: 3, FILE_OF_SYMBOL: 4, LIST_SERVICES: 7 };
const RESPONSE = { FILES: 4, SERVICES: 6, ERROR: 7 };
const ERROR_MESSAGE = 2;
const FILE = { NAME: 1, DEPENDENCY: 3 };
/** The only field of a list of files, of a list of services, of a service, and of a FileDescriptorSet. */
const FIRST = 1;
const OWN_SERVICES = 'grpc.reflection.';

/** The counts of a server are not trusted. */
export interface ReflectionBounds {
  readonly bytesMax: number;
  readonly filesMax: number;
}

/** One stream: `next` is sent, its answer is taken, until `next` returns null. */
export class Reflection {
  readonly #bounds: ReflectionBounds;
  readonly #symbols: string[] = [];
  /** Files by name. */
  readonly #files = new Map<string, Buffer>();
  /** Names of imports that were asked for, or are to be. */
  readonly #asked = new Set<string>();
  readonly #imports: string[] = [];
  #isListed = false;
  #bytes = 0;

  constructor(bounds: ReflectionBounds) {
    this.#bounds = bounds;
  }

  /** The next request, or null when all files are known. */
  next(): Buffer | null {
    if (!this.#isListed) return bytesField(REQUEST.LIST_SERVICES, Buffer.from('*'));
    const symbol = this.#symbols.pop();
    if (symbol !== undefined) return bytesField(REQUEST.FILE_OF_SYMBOL, Buffer.from(symbol));
    for (let name = this.#imports.pop(); name !== undefined; name = this.#imports.pop()) {
      if (!this.#files.has(name)) return bytesField(REQUEST.FILE_BY_NAME, Buffer.from(name));
    }
    return null;
  }

  /** Throws `DescriptorFault` where `response` is none, or names an error. */
  take(response: Uint8Array): void {
    for (const { number, bytes } of fieldsOf(response)) {
      if (number === RESPONSE.ERROR)
        throw new DescriptorFault(`it answered: ${textOf(bytes, ERROR_MESSAGE)}`);
      if (number === RESPONSE.SERVICES) this.#takeServices(bytes);
      if (number === RESPONSE.FILES) for (const file of fieldsOf(bytes)) this.#takeFile(file.bytes);
    }
    // An answer to something else than was asked would be asked for again and again.
    if (!this.#isListed) throw new DescriptorFault('it did not list its services');
  }

  /** A FileDescriptorSet. */
  set(): Buffer {
    return Buffer.concat([...this.#files.values()].map((file) => bytesField(FIRST, file)));
  }

  #takeServices(bytes: Buffer): void {
    this.#isListed = true;
    for (const service of fieldsOf(bytes)) {
      const name = textOf(service.bytes, FIRST);
      if (!name.startsWith(OWN_SERVICES)) this.#symbols.push(name);
    }
    this.#check(this.#symbols.length);
  }

  #takeFile(file: Buffer): void {
    const name = textOf(file, FILE.NAME);
    if (this.#files.has(name)) return;
    this.#files.set(name, Buffer.from(file));
    this.#bytes += file.byteLength;
    for (const field of fieldsOf(file)) {
      if (field.number !== FILE.DEPENDENCY) continue;
      const needed = field.bytes.toString('utf8');
      if (this.#asked.has(needed)) continue;
      this.#asked.add(needed);
      this.#imports.push(needed);
    }
    this.#check(this.#files.size + this.#imports.length);
  }

  #check(count: number): void {
    const { bytesMax, filesMax } = this.#bounds;
    if (count > filesMax) throw new DescriptorFault(`it has more than ${filesMax} services or files`);
    if (this.#bytes > bytesMax) throw new DescriptorFault(`its files are larger than ${bytesMax} bytes`);
  }
}

/** Fields are read one level deep, so that the length of the message bounds them. */
const noBounds: WireBounds = { value: () => {} };

function fieldsOf(bytes: Uint8Array): readonly WireField[] {
  try {
    return readFields(bytes, noBounds, 0);
  } catch (error) {
    if (error instanceof WireFault) throw new DescriptorFault('it answered with something else than types');
    throw error;
  }
}

function textOf(message: Uint8Array, number: number): string {
  const found = fieldsOf(message).findLast((field) => field.number === number);
  return found?.bytes.toString('utf8') ?? '';
}
