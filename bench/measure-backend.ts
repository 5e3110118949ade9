// A process that measures: runs one job on one backend and prints what it finds, one JSON line each. Started by the suites.
import { createReporter } from './frame/reporter.js';
import type { JobSettings } from './frame/suite.js';
import { jobs, type JobName } from './jobs.js';

const { job, settings } = JSON.parse(process.argv[2]!) as { job: JobName; settings: JobSettings };
const reporter = createReporter((line) => process.stdout.write(line));
await reporter.attempt('the whole process', async () => {
  const { run } = await jobs[job]();
  await run(settings, reporter);
});
