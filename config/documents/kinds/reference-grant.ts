/** Fields of Gateway API's ReferenceGrant. */
import { required, supported } from '../fate.js';
import { fields, listOf, type Shape, text } from '../shape.js';

export const referenceGrant: Shape = fields({
  from: required(
    listOf(
      fields({
        group: required(text, 'with `kind`'),
        kind: required(text, 'HTTPRoute or GRPCRoute; others concern nothing that umbra carries out'),
        namespace: required(text, 'the namespace of the routes'),
      }),
    ),
    'which routes may have backends in the namespace of the document',
  ),
  to: required(
    listOf(
      fields({
        group: supported(text, 'with `kind`'),
        kind: required(text, 'Service; others concern nothing that umbra carries out'),
        name: supported(text, 'every Service of the namespace unless given'),
      }),
    ),
  ),
});
