import { checkShape } from '../../config/documents/check-shape.js';
import { fieldRows } from '../../config/documents/fate.js';
import { type Growth, grow } from '../../config/documents/grow.js';
import { kinds } from '../../config/documents/kinds.js';
import type { Shape } from '../../config/documents/shape.js';
import { readDocument, withTables } from '../support/doc-table.js';
import t from '../support/tap.js';
import { istioTables } from './istio-tables.js';

t.test('docs/istio.md has the fields of the code: `npm run docs` writes them', async (t) => {
  const text = readDocument('istio.md');
  t.equal(text, withTables(text, istioTables()));
});

t.test('every field that is reported or refused says why', async (t) => {
  for (const kind of kinds) {
    for (const { path, fate, note } of fieldRows(kind.document))
      if (fate !== 'carried out') t.match(note, /.{10}/, `${kind.name} ${path}`);
  }
});

/** A value that fits, with one key of each mapping that has no value by itself. */
function fitting(shape: Shape): Growth {
  switch (shape.is) {
    case 'number':
    case 'integer':
      return shape.min;
    case 'word':
      return shape.words[0];
    case 'boolean':
      return true;
    case 'duration':
      return '1s';
    case 'list':
      return [fitting(shape.of)];
    case 'map':
      return { key: fitting(shape.of) };
    case 'fields':
      return Object.fromEntries(
        Object.entries(shape.fields)
          .filter(([, field]) => field.required)
          .map(([name, field]) => [name, fitting(field.shape)]),
      );
    default:
      return 'a';
  }
}

/** A document of `shape` with the field at `path` and everything that is required on the way. */
function withField(shape: Shape, path: readonly string[]): Growth {
  const [step, ...rest] = path;
  if (step === undefined) return fitting(shape);
  if (shape.is === 'list') return [withField(shape.of, rest)];
  if (shape.is === 'map') return { key: withField(shape.of, rest) };
  if (shape.is !== 'fields') throw new Error(`${step} leads nowhere`);
  const whole = fitting(shape) as Record<string, Growth>;
  return { ...whole, [step]: withField(shape.fields[step].shape, rest) };
}

t.test('each field is refused, reported or taken as its row says', async (t) => {
  for (const kind of kinds) {
    for (const { path, fate } of fieldRows(kind.document)) {
      const steps = path.replaceAll('[]', '.[]').split('.');
      const tree = grow({ file: 'f', line: 1, column: 1 }, withField(kind.document, steps));
      const told = checkShape(tree, kind.document, 'x').map(
        ({ severity, message }) => `${severity}: ${message}`,
      );
      const ofField = told.filter((text) =>
        text.includes(`\`${path.replaceAll('[]', '[0]').replaceAll('.*', '["key"]')}\``),
      );
      const name = `${kind.name} ${path}`;
      if (fate === 'refused') t.match(ofField, [/^error: .*can't be carried out/], name);
      else if (fate === 'reported')
        t.match(ofField, [/^warning: .*is (ignored|not as in its reference)/], name);
      else t.strictSame(told, [], name);
    }
  }
});
