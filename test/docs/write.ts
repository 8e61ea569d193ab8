/** `npm run docs`: writes into the documents the tables that stand in the code. */
import { writePages, writeTables } from '../support/doc-table.js';
import { adminTables } from './admin-tables.js';
import { commandTables } from './command-tables.js';
import { configPages, configTables } from './config-tables.js';
import { conformanceTables } from './conformance-tables.js';
import { errorTables } from './error-tables.js';
import { istioTables } from './istio-tables.js';

writeTables('commands.md', commandTables());
writePages(configPages, configTables());
writeTables('errors.md', errorTables());
writeTables('admin-api.md', adminTables());
writeTables('conformance.md', conformanceTables());
writeTables('istio.md', istioTables());
