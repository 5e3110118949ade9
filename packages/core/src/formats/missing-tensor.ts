// The error about a tensor that a file does not have.
import { MemGenError } from '@memgen/common';

/** @param names - of the tensors that are there; some of them are told. */
export function missingTensor(name: string, path: string, names: Iterable<string>): MemGenError {
  const known = [...names];
  const shown = known.slice(0, 5).join(', ') + (known.length > 5 ? `, ... (${known.length} in all)` : '');
  return new MemGenError({
    code: 'tensor-missing',
    where: path,
    message: `there is no tensor "${name}"`,
    got: shown === '' ? 'no tensors at all' : shown,
    hint: 'check that the file belongs to this kind of model',
  });
}
