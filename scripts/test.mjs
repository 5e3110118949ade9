// `npm test`: sets everything up, runs all tests of the workspace and ends with the count.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, setUp } from './set-up.mjs';

setUp();
const report = join(root, 'node_modules', '.cache', 'test-report.json');
mkdirSync(join(report, '..'), { recursive: true });
rmSync(report, { force: true });
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const code = run([
  process.execPath, vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]); // prettier-ignore
const {
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
} = JSON.parse(readFileSync(report, 'utf8'));
// A file that cannot even be loaded counts as a failure too.
const broken = code !== 0 && failed === 0 ? 1 : failed;
console.log(`${passed} passed, ${broken} failed, ${skipped} skipped`);
process.exit(code);
