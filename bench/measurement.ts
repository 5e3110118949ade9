// One measured figure, and how it is taken.
import { cpus, totalmem } from 'node:os';

export interface Measurement {
  name: string;
  backend: string;
  unit: string;
  /** Over the repetitions; times are noisy on shared machines, so read ratios. */
  median: number;
  minimum: number;
  maximum: number;
  repetitions: number;
  /**
   * The official PyTorch code's figure for the same work, where it was measured once: on two shared threads whose torch
   * matmul of 512x2048x2048 reached 110 GFLOP/s. Compare machines by the matmul row.
   */
  official?: number;
}

/** Runs `work` (which returns its own figure) after one warm-up. */
export async function measure(
  facts: Pick<Measurement, 'name' | 'backend' | 'unit'>,
  repetitions: number,
  work: () => number | Promise<number>,
): Promise<Measurement> {
  await work();
  const figures: number[] = [];
  for (let i = 0; i < repetitions; i++) figures.push(await work());
  figures.sort((a, b) => a - b);
  return {
    ...facts,
    median: figures[Math.floor(figures.length / 2)]!,
    minimum: figures[0]!,
    maximum: figures.at(-1)!,
    repetitions,
  };
}

/** Seconds that `work` takes. */
export async function seconds(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

export function machineLine(): string {
  const [cpu] = cpus();
  return `Node ${process.versions.node}, ${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
}
