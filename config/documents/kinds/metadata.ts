import { ignored, required, supported } from '../fate.js';
import { anything, fields, mapOf, type Shape, text } from '../shape.js';

/**
 * Fields that a Kubernetes server adds to a document, so that the output of `kubectl get -o yaml` can be
 * applied.
 */
const ofTheServer = supported(anything, 'written by a Kubernetes server, which keeps it for itself');

export const metadata: Shape = fields({
  name: required(text, 'with the kind and the namespace it says which document this is'),
  namespace: supported(text, '`documents.namespace` unless given; short host names belong to it'),
  labels: supported(mapOf(text), 'kept'),
  annotations: supported(
    mapOf(text),
    'kept; those of Istio and Gateway API are reported: they have no effect',
  ),
  creationTimestamp: supported(
    text,
    'the age of the document; without it, the time when it was first applied',
  ),
  generateName: ignored('a document needs a name of its own'),
  deletionTimestamp: ofTheServer,
  deletionGracePeriodSeconds: ofTheServer,
  uid: ofTheServer,
  resourceVersion: ofTheServer,
  generation: ofTheServer,
  managedFields: ofTheServer,
  ownerReferences: ofTheServer,
  finalizers: ofTheServer,
  selfLink: ofTheServer,
});

/** `documentShape` returns the shape of the whole document, around the `spec` of its kind. */
export function documentShape(spec: Shape): Shape {
  return fields({
    apiVersion: required(text),
    kind: required(text),
    metadata: required(metadata),
    spec: required(spec),
    status: ofTheServer,
  });
}
