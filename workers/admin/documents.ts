/**
 * `POST /api/apply` and `POST /api/delete`: documents as YAML or JSON, which are in force on every thread
 * when the answer is sent. A JSON body `{ "files": [ { "file": "a.yaml", "text": "…" } ] }` carries several
 * files with their names.
 */
import type { Context, Hono } from 'hono';
import type { DocumentChange } from '../../config/documents/change.js';
import type { TextFile } from '../../config/documents/document.js';
import { limits } from '../../core/limits.js';
import { readBody } from './body.js';
import type { AdminDeps } from './deps.js';
import { checkContentType } from './guard.js';
import { wrongMethod } from './responses.js';

const DOCUMENT_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'application/json'];

/** Documents that a log line names; it also has their number. */
const loggedMax = 20;

export function addDocuments(app: Hono, deps: AdminDeps): void {
  for (const what of ['apply', 'delete'] as const) {
    app.post(`/api/${what}`, checkContentType(DOCUMENT_TYPES), (c) => change(c, deps, what));
    app.all(`/api/${what}`, wrongMethod('POST'));
  }
}

async function change(c: Context, deps: AdminDeps, what: DocumentChange['what']): Promise<Response> {
  for (const name of ['dryRun', 'strict']) {
    if (!['true', 'false', undefined].includes(c.req.query(name)))
      return c.json({ error: `${name}: expected true or false` }, 400);
  }
  const dryRun = c.req.query('dryRun') === 'true';
  const strict = c.req.query('strict') === 'true';
  const text = await readBody(c, limits.documentBytes);
  if (typeof text !== 'string') return text;
  const files = filesOf(text);
  if (typeof files === 'string') return c.json({ error: files }, 400);
  const result = await deps.changeDocuments({ what, files, strict }, dryRun);
  if (!result.ok) {
    const { message, problems } = result;
    const error = result.status === 422 ? 'the documents were rejected; nothing was changed' : message;
    return c.json({ error, problems }, statusOf(result.status));
  }
  const { generation, documents, ended = [] } = result;
  if (!dryRun)
    deps.log.info(
      { generation, count: documents?.told.length, documents: documents?.told.slice(0, loggedMax) },
      'documents changed through the admin API',
    );
  return c.json({ generation, ended, ...documents });
}

function statusOf(status: number): 409 | 422 | 500 | 503 {
  return status === 409 || status === 422 || status === 503 ? status : 500;
}

/** `filesOf` returns the files, or a text that describes a problem. */
function filesOf(text: string): TextFile[] | string {
  const files = filesIn(text);
  if (files === undefined) return [{ file: 'request', text }];
  const wrong = 'files: expected a list of at least one { "file": NAME, "text": DOCUMENTS }';
  if (!Array.isArray(files) || files.length === 0 || files.length > limits.documents) return wrong;
  return files.every(isFile) ? files.map(({ file, text }) => ({ file, text })) : wrong;
}

/** `filesIn` returns `files` of a JSON object that is not itself a document. */
function filesIn(text: string): unknown {
  if (!/^\s*\{\s*"files"/.test(text)) return undefined;
  try {
    return (JSON.parse(text) as { files: unknown }).files;
  } catch {
    // The reader of documents reports the problem with its position.
    return undefined;
  }
}

function isFile(value: unknown): value is TextFile {
  const { file, text } = (value ?? {}) as Partial<TextFile>;
  return typeof file === 'string' && typeof text === 'string';
}
