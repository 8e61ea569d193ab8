/**
 * The schema in the form that editors read (JSON Schema, draft 7), from the same source that checks
 * configurations.
 */
import { z } from 'zod';
import { configSchema } from './schema.js';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const environmentReference = '#/definitions/environment';

function configJsonSchema(): JsonObject {
  const generated = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  // `kind` names types in docs/configuration and is not a keyword of JSON Schema.
  const plain = JSON.parse(JSON.stringify(generated, (key, value) => (key === 'kind' ? undefined : value)));
  return {
    ...allowEnvironment(plain as JsonObject),
    definitions: {
      environment: {
        type: 'string',
        pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}',
        description: 'A value from the environment.',
      },
    },
  };
}

/** `configJsonSchemaText` returns the text of `config/schema.json`. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** `allowEnvironment` allows a reference to the environment for every value that is not free text. */
function allowEnvironment(schema: JsonObject): JsonObject {
  const { properties, items, additionalProperties, anyOf } = schema;
  if (isObject(properties)) {
    const entries = Object.entries(properties).map(([key, inner]) => [
      key,
      allowEnvironment(inner as JsonObject),
    ]);
    return { ...schema, properties: Object.fromEntries(entries) };
  }
  if (isObject(items)) return { ...schema, items: allowEnvironment(items) };
  if (isObject(additionalProperties))
    return { ...schema, additionalProperties: allowEnvironment(additionalProperties) };
  if (Array.isArray(anyOf))
    return { ...schema, anyOf: anyOf.map((form) => allowEnvironment(form as JsonObject)) };
  const isFreeText = schema.type === 'string' && schema.pattern === undefined && schema.enum === undefined;
  if (isFreeText) return schema;
  const { description, default: otherwise, ...form } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...(otherwise === undefined ? {} : { default: otherwise }),
    anyOf: [form, { $ref: environmentReference }],
  };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
