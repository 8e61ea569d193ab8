/** `tracing`: spans of sampled requests and of their copies, for OpenTelemetry. */
import { parsePlain, textExpected } from '../names.js';
import { Refusal } from '../units.js';
import { mapping, share, text } from './values.js';

const urlExpected = 'expected a URL such as http://127.0.0.1:4318';

function parseUrl(value: string): string | Refusal {
  if (!URL.canParse(value)) return new Refusal(urlExpected);
  const { protocol, username, password, search, hash } = new URL(value);
  if (protocol !== 'http:' && protocol !== 'https:') return new Refusal(urlExpected);
  if (username !== '' || password !== '')
    return new Refusal('must not contain credentials: use the environment (OTEL_EXPORTER_OTLP_HEADERS)');
  return search === '' && hash === '' ? value : new Refusal('must not have a query or a fragment');
}

export const tracing = mapping({
  otlp: text(urlExpected, parseUrl).meta({
    description:
      'Receiver of spans by OTLP over HTTP. A URL without a path gets `/v1/traces`, as in `OTEL_EXPORTER_OTLP_ENDPOINT`.',
  }),
  sample: share.prefault('1%').meta({
    description:
      'The share of requests that are traced when the client sent no trace context. Else the client’s flag decides.',
  }),
  service: text(textExpected, parsePlain)
    .prefault('umbra')
    .meta({ description: 'The name of this service in traces (`service.name`).' }),
});
