/** Descriptor sets and messages of Protocol Buffers, written by hand for tests. */

export type Part = readonly [number: number, value: Value];
/** A text or bytes, an integer, or parts of a nested message. */
export type Value = string | Buffer | number | bigint | boolean | readonly Part[];

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** A message of these fields, in this order. */
export function message(...parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map(([number, value]) => {
      const tag = (wire: number) => varint((number << 3) | wire);
      if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
        return Buffer.concat([tag(0), varint(BigInt(value))]);
      }
      const bytes =
        typeof value === 'string' ? Buffer.from(value) : Buffer.isBuffer(value) ? value : message(...value);
      return Buffer.concat([tag(2), varint(bytes.length), bytes]);
    }),
  );
}

export function double(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((number << 3) | 1), bytes]);
}

export function float(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((number << 3) | 5), bytes]);
}

export function packed(number: number, ...values: readonly (number | bigint)[]): Buffer {
  return message([number, Buffer.concat(values.map(varint))]);
}

const [LABEL_OPTIONAL, LABEL_REPEATED] = [1, 3];

export interface FieldWords {
  readonly name: string;
  readonly number: number;
  /** A number of `Scalar`. */
  readonly type: number;
  readonly typeName?: string;
  readonly repeated?: boolean;
  /** `optional` of proto3. */
  readonly optional?: boolean;
  readonly options?: readonly Part[];
}

function field({ name, number, type, typeName, repeated, optional, options }: FieldWords): Part[] {
  return [
    [1, name],
    [3, number],
    [4, repeated === true ? LABEL_REPEATED : LABEL_OPTIONAL],
    [5, type],
    ...(typeName === undefined ? [] : ([[6, typeName]] as const)),
    ...(options === undefined ? [] : ([[8, options]] as const)),
    ...(optional === true
      ? ([
          [9, 0],
          [17, 1],
        ] as const)
      : []),
  ];
}

/** A `DescriptorProto` of these fields and nested types. */
export function messageType(
  name: string,
  fields: readonly FieldWords[],
  more: readonly Part[] = [],
): readonly Part[] {
  return [[1, name], ...fields.map((words): Part => [2, field(words)]), ...more];
}

export interface FileWords {
  readonly pkg: string;
  readonly syntax?: string;
  readonly messages: readonly (readonly Part[])[];
  readonly more?: readonly Part[];
}

/** A service in `more` of a file, each of whose methods takes one `type` and answers with one. */
export function service(name: string, type: string, methods: readonly string[]): Part {
  const parts = methods.map(
    (method): Part => [
      2,
      [
        [1, method],
        [2, type],
        [3, type],
      ],
    ],
  );
  return [6, [[1, name], ...parts]];
}

/** A `FileDescriptorSet` of files. */
export function descriptorSet(...files: readonly FileWords[]): Buffer {
  return message(
    ...files.map(({ pkg, syntax, messages, more = [] }): Part => {
      const parts: Part[] = [
        [1, `${pkg}.proto`],
        [2, pkg],
        ...messages.map((type): Part => [4, type]),
        ...(syntax === undefined ? [] : ([[12, syntax]] as const)),
        ...more,
      ];
      return [1, parts];
    }),
  );
}
