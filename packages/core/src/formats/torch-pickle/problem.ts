// Errors about PyTorch checkpoints.
import { MemGenError } from '@memgen/common';

/** What is wrong, without the place, which the caller knows. */
export interface Problem {
  /**
   * - `archive`: the zip file around it; `legacy`: the format before PyTorch 1.6;
   * - `opcode`, `global`: the pickle wants more than data;
   * - `data`: the pickle is broken or holds something unexpected; `tensor`: a tensor does not fit its storage;
   * - `limit`: more than any real checkpoint needs.
   */
  readonly kind: 'archive' | 'legacy' | 'opcode' | 'global' | 'data' | 'tensor' | 'limit';
  readonly message: string;
  readonly got?: string;
  readonly expected?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Makes an error about the place that is being read. */
export type Fail = (problem: Problem) => MemGenError;

const untrusted =
  'only tensors and plain values are read, no code is run; if you trust the file, load it in Python and save its ' +
  'state_dict() as safetensors';
const longestQuote = 100;

const damaged = 'the file is damaged or not made by torch.save; get it again';

const hints: Readonly<Record<Problem['kind'], string>> = {
  archive: damaged,
  legacy: damaged,
  opcode: untrusted,
  global: untrusted,
  data: damaged,
  tensor: damaged,
  limit: 'if the file is to be trusted, load it in Python and save its state_dict() as safetensors',
};

/** @returns a `MemGenError` of code `torch-pickle-` and the kind. */
export function torchPickleError(where: string, { kind, hint = hints[kind], ...rest }: Problem): MemGenError {
  return new MemGenError({ code: `torch-pickle-${kind}`, where, hint, ...rest });
}

/** A text of the file in quotes for an error message: short, and without control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}...` : text);
}
