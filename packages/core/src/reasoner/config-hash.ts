// What tells one model from another: a hash of its configuration.
import { createHash } from 'node:crypto';

/** SHA-256 of a parsed config.json (or of the configuration read out of a GGUF file), hexadecimal. */
export function configHash(configJson: unknown): string {
  return createHash('sha256').update(JSON.stringify(configJson)).digest('hex');
}
