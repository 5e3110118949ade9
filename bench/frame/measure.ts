// Timing: warm-up, then repetitions.

/** Seconds that `work` takes. */
export async function seconds(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** Figures of `repetitions` runs of `work`, which returns its own figure, after one run that does not count. */
export async function repeated(repetitions: number, work: () => number | Promise<number>): Promise<number[]> {
  await work();
  const figures: number[] = [];
  for (let i = 0; i < repetitions; i++) figures.push(await work());
  return figures;
}
