// Recognises what is called .bin or .pt as well but is no zip file, to say what it is.
import type { RangedFile } from '../ranged-file.js';
import { torchPickleError } from './problem.js';

const headLength = 16;

/** The start of the old format: a pickle of protocol 2 whose first value is this 10-byte number. */
const legacyMagic = '80028a0a6cfc9c46f9206aa85019';

/** @throws MemGenError `torch-pickle-legacy`, `torch-pickle-archive`. */
export async function refuseOtherFormats(file: RangedFile): Promise<void> {
  const head = Buffer.from(await file.read(0, Math.min(headLength, file.size)));
  const hex = head.toString('hex');
  if (hex.startsWith('504b0304')) return;
  if (hex.startsWith(legacyMagic)) {
    throw torchPickleError(file.path, {
      kind: 'legacy',
      message: 'this checkpoint has the format of PyTorch before 1.6, which is not a zip file',
      expected: 'the zip format that torch.save writes since then',
      hint: 'if you trust it, load it with torch.load(path, weights_only=True) and save it again with torch.save',
    });
  }
  throw torchPickleError(file.path, {
    kind: 'archive',
    message: 'this is no PyTorch checkpoint',
    got: file.size === 0 ? 'an empty file' : `first bytes ${hex}${kindOf(head)}`,
    expected: '504b0304, the start of a zip file',
    hint: 'give the path of a file that torch.save has written',
  });
}

function kindOf(head: Buffer): string {
  if (head.subarray(0, 4).toString('latin1') === 'GGUF') return ' (a GGUF file)';
  if (head.toString('latin1').startsWith('version https://')) return ' (a Git LFS pointer: run `git lfs pull`)';
  if (head[0] === 0x80) return ' (a pickle that torch.save has not written)';
  if (head[8] === 0x7b) return ' (a safetensors file)';
  return '';
}
