// Writes tokenizer.json and tokenizer_config.json into model/. Run with tsx.
import { mkdirSync, writeFileSync } from 'node:fs';
import { buildTokenizer } from '../src/tokenizer/build-tokenizer.js';

const folder = new URL('../model/', import.meta.url);
mkdirSync(folder, { recursive: true });
const { tokenizer, config, size } = buildTokenizer();
writeFileSync(new URL('tokenizer.json', folder), `${JSON.stringify(tokenizer, null, 1)}\n`);
writeFileSync(new URL('tokenizer_config.json', folder), `${JSON.stringify(config, null, 2)}\n`);
console.log(`vocabulary of ${size} tokens`);
