// `npm start`: sets everything up and runs the main job. Words after `--` go to the job: npm start -- --help
import { run, setUp, sourceCommand } from './set-up.mjs';

setUp();
process.exit(run(sourceCommand('apps/train-app/src/main.ts', ...process.argv.slice(2))));
