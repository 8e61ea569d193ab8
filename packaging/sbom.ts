/** `npm run sbom`: prints what an installation of umbra's package for npm consists of, as CycloneDX. */
import { billOfPackages } from './bill-of-materials.js';

process.stdout.write(`${JSON.stringify(billOfPackages(), null, 2)}\n`);
