/** tap without its runner, which brings most of its packages: test/suite runs the files. */
import { tap } from '@tapjs/core';

export type { Test } from '@tapjs/test';

export default tap();
