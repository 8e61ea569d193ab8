/**
 * The types of a `FileDescriptorSet` (google/protobuf/descriptor.proto), which `protoc --descriptor_set_out
 * --include_imports` and `buf build` write. It is read by the same code as messages: its own fields are known
 * by number here.
 */
import { type FieldType, type MessageType, type MethodType, Scalar } from './field-type.js';
import { readFields, type WireBounds, type WireField } from './wire-format.js';

/** The bytes are not a descriptor set that can be used; the message says why, as the end of a sentence. */
export class DescriptorFault extends Error {}

// Field numbers of descriptor.proto, by message.
const SET_FILE = 1;
const FILE = {
  PACKAGE: 2,
  MESSAGE: 4,
  ENUM: 5,
  SERVICE: 6,
  EXTENSION: 7,
  OPTIONS: 8,
  SYNTAX: 12,
  EDITION: 14,
};
const MESSAGE = { NAME: 1, FIELD: 2, NESTED: 3, ENUM: 4, EXTENSION: 6, OPTIONS: 7 };
const FIELD = {
  NAME: 1,
  EXTENDEE: 2,
  NUMBER: 3,
  LABEL: 4,
  TYPE: 5,
  TYPE_NAME: 6,
  OPTIONS: 8,
  ONEOF: 9,
  PROTO3_OPTIONAL: 17,
};
const ENUM = { NAME: 1, VALUE: 2 };
const ENUM_VALUE = { NAME: 1, NUMBER: 2 };
const SERVICE = { NAME: 1, METHOD: 2 };
const METHOD = { NAME: 1, INPUT: 2, OUTPUT: 3, CLIENT_STREAMING: 5, SERVER_STREAMING: 6 };
const MAP_ENTRY_OPTION = 7;
/** `features` in FileOptions, MessageOptions and FieldOptions. */
const FEATURES = { FILE: 50, MESSAGE: 12, FIELD: 21 };
const FIELD_PRESENCE = 1;
const IMPLICIT = 2;
const LABEL_REPEATED = 3;

const DEPTH_MAX = 64;
const VALUES_MAX = 1_000_000;
const NAME_CHARS = 512;

export class Descriptors {
  readonly #messages = new Map<string, MessageType>();
  /** The names of each enum by number. */
  readonly #enums = new Map<string, ReadonlyMap<number, string>>();
  /** By `package.Service/Method`. */
  readonly #methods = new Map<string, MethodType>();

  /** Throws `DescriptorFault`. */
  static read(bytes: Uint8Array): Descriptors {
    const descriptors = new Descriptors();
    descriptors.#addSet(bytes);
    return descriptors;
  }

  message(name: string): MessageType | null {
    return this.#messages.get(name) ?? null;
  }

  enumNames(name: string): ReadonlyMap<number, string> | null {
    return this.#enums.get(name) ?? null;
  }

  /** `method`: `package.Service/Method`. */
  method(method: string): MethodType | null {
    return this.#methods.get(method) ?? null;
  }

  get methodNames(): readonly string[] {
    return [...this.#methods.keys()];
  }

  #addSet(bytes: Uint8Array): void {
    let files: Fields[];
    try {
      files = new Fields(bytes).messages(SET_FILE);
    } catch {
      throw new DescriptorFault('it is not a FileDescriptorSet');
    }
    if (files.length === 0) throw new DescriptorFault('it describes no file');
    try {
      for (const file of files) this.#addFile(file);
    } catch (error) {
      if (error instanceof DescriptorFault) throw error;
      throw new DescriptorFault('it is not a FileDescriptorSet');
    }
    this.#mustBeWhole();
  }

  /** Types of imports are in the set only if it was asked for. */
  #mustBeWhole(): void {
    const missing = new Set<string>();
    for (const { fields } of this.#messages.values()) {
      for (const { typeName } of fields.values()) {
        if (typeName !== '' && !this.#messages.has(typeName) && !this.#enums.has(typeName)) {
          missing.add(typeName);
        }
      }
    }
    for (const { input, output } of this.#methods.values()) {
      for (const name of [input, output]) if (!this.#messages.has(name)) missing.add(name);
    }
    const [first] = missing;
    if (first === undefined) return;
    throw new DescriptorFault(`it lacks the type ${first}: write it with --include_imports`);
  }

  #addFile(file: Fields): void {
    const scope = file.text(FILE.PACKAGE);
    const options = file.message(FILE.OPTIONS);
    const isProto3 = file.text(FILE.SYNTAX) === 'proto3';
    const features = options?.message(FEATURES.FILE)?.number(FIELD_PRESENCE) ?? 0;
    const implicit = features === 0 ? isProto3 : features === IMPLICIT;
    for (const message of file.messages(FILE.MESSAGE)) this.#addMessage(message, scope, implicit);
    for (const one of file.messages(FILE.ENUM)) this.#addEnum(one, scope);
    for (const service of file.messages(FILE.SERVICE)) this.#addService(service, scope);
    this.#addExtensions(file.messages(FILE.EXTENSION), scope, implicit);
  }

  #addMessage(message: Fields, scope: string, ofFile: boolean): void {
    const name = within(scope, message.text(MESSAGE.NAME));
    const options = message.message(MESSAGE.OPTIONS);
    const features = options?.message(FEATURES.MESSAGE)?.number(FIELD_PRESENCE) ?? 0;
    const implicit = features === 0 ? ofFile : features === IMPLICIT;
    const fields = new Map<number, FieldType>();
    for (const field of message.messages(MESSAGE.FIELD)) {
      const type = fieldType(field, field.text(FIELD.NAME), implicit);
      fields.set(type.number, type);
    }
    // Extensions may have come first, from a message that is nested in another one.
    for (const [number, type] of this.#messages.get(name)?.fields ?? []) fields.set(number, type);
    const isMapEntry = options?.number(MAP_ENTRY_OPTION) === 1;
    this.#messages.set(name, { name, fields, isMapEntry });
    for (const nested of message.messages(MESSAGE.NESTED)) this.#addMessage(nested, name, implicit);
    for (const one of message.messages(MESSAGE.ENUM)) this.#addEnum(one, name);
    this.#addExtensions(message.messages(MESSAGE.EXTENSION), name, implicit);
  }

  #addExtensions(extensions: readonly Fields[], scope: string, implicit: boolean): void {
    for (const extension of extensions) {
      const extendee = withoutDot(extension.text(FIELD.EXTENDEE));
      const type = fieldType(extension, `[${within(scope, extension.text(FIELD.NAME))}]`, implicit);
      const known = this.#messages.get(extendee) ?? { name: extendee, fields: new Map(), isMapEntry: false };
      const fields = new Map(known.fields).set(type.number, type);
      this.#messages.set(extendee, { ...known, fields });
    }
  }

  #addEnum(one: Fields, scope: string): void {
    const names = new Map<number, string>();
    for (const value of one.messages(ENUM.VALUE)) {
      const number = value.number(ENUM_VALUE.NUMBER) | 0;
      // Of several names of one number the first counts, as in the JSON of Protocol Buffers.
      if (!names.has(number)) names.set(number, value.text(ENUM_VALUE.NAME));
    }
    this.#enums.set(within(scope, one.text(ENUM.NAME)), names);
  }

  #addService(service: Fields, scope: string): void {
    const name = within(scope, service.text(SERVICE.NAME));
    for (const method of service.messages(SERVICE.METHOD)) {
      this.#methods.set(`${name}/${method.text(METHOD.NAME)}`, {
        input: withoutDot(method.text(METHOD.INPUT)),
        output: withoutDot(method.text(METHOD.OUTPUT)),
        clientStreaming: method.number(METHOD.CLIENT_STREAMING) === 1,
        serverStreaming: method.number(METHOD.SERVER_STREAMING) === 1,
      });
    }
  }
}

function fieldType(field: Fields, name: string, implicit: boolean): FieldType {
  const scalar = field.number(FIELD.TYPE) as Scalar;
  if (scalar < Scalar.DOUBLE || scalar > Scalar.SINT64) {
    throw new DescriptorFault(`the field ${name} has an unknown type`);
  }
  const features = field.message(FIELD.OPTIONS)?.message(FEATURES.FIELD)?.number(FIELD_PRESENCE) ?? 0;
  const isImplicit = features === 0 ? implicit : features === IMPLICIT;
  const isMember = field.has(FIELD.ONEOF) || field.number(FIELD.PROTO3_OPTIONAL) === 1;
  return {
    name,
    number: field.number(FIELD.NUMBER),
    scalar,
    typeName: withoutDot(field.text(FIELD.TYPE_NAME)),
    repeated: field.number(FIELD.LABEL) === LABEL_REPEATED,
    hasPresence: !isImplicit || isMember || scalar === Scalar.MESSAGE || scalar === Scalar.GROUP,
  };
}

function within(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}

function withoutDot(name: string): string {
  return name.startsWith('.') ? name.slice(1) : name;
}

class Bounds implements WireBounds {
  #values = 0;
  value(depth: number): void {
    if (depth > DEPTH_MAX || ++this.#values > VALUES_MAX) throw new DescriptorFault('it is too large');
  }
}

/** The fields of one message of descriptor.proto. */
class Fields {
  readonly #fields: readonly WireField[];
  readonly #bounds: WireBounds;
  readonly #depth: number;

  constructor(bytes: Uint8Array, bounds: WireBounds = new Bounds(), depth = 0) {
    this.#bounds = bounds;
    this.#depth = depth;
    bounds.value(depth, 0);
    this.#fields = readFields(bytes, bounds, depth);
  }

  has(number: number): boolean {
    return this.#fields.some((field) => field.number === number);
  }

  /** The last value counts; 0 without one. */
  number(number: number): number {
    const bits = this.#fields.findLast((field) => field.number === number)?.bits ?? 0n;
    return Number(BigInt.asIntN(64, bits));
  }

  text(number: number): string {
    const text = this.#fields.findLast((field) => field.number === number)?.bytes.toString('utf8') ?? '';
    if (text.length > NAME_CHARS) throw new DescriptorFault('it has a name that is too long');
    return text;
  }

  messages(number: number): Fields[] {
    return this.#fields
      .filter((field) => field.number === number)
      .map(({ bytes }) => new Fields(bytes, this.#bounds, this.#depth + 1));
  }

  message(number: number): Fields | null {
    return this.messages(number).at(-1) ?? null;
  }
}
