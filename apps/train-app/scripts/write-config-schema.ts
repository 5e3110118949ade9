// Writes configs/experiment.schema.json, by which editors complete and check experiment files.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { editorJsonSchema } from '../src/config/schema-guide.js';

const path = resolve(import.meta.dirname, '../../../configs/experiment.schema.json');
await writeFile(path, `${JSON.stringify(editorJsonSchema(), undefined, 2)}\n`);
console.log(`wrote ${path}`);
