/** `npm run release:check`: fails where the commit is not a release as docs/releasing.md has it. */
import { checkRelease, readReleaseState } from './release.js';

const state = readReleaseState();
const { released, problems } = checkRelease(state);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else if (released) console.log(`umbra ${state.version}: version, changelog, README and tag agree`);
else {
  console.error(`The commit has no tag v${state.version}: it is not a release.`);
  process.exitCode = 1;
}
