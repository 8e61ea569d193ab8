import type { Section } from './case.js';
import { connections } from './connections.js';
import { fields } from './fields.js';
import { requests } from './requests.js';
import { responses } from './responses.js';

/** All cases, in the order of docs/conformance.md. */
export const sections: readonly Section[] = [fields, requests, connections, responses];
