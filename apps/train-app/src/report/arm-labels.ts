// What the arms are called in a report.
const labels: Record<string, string> = {
  vanilla: 'vanilla (no latents)',
  'random-weaver': 'random weaver',
  weaver: 'weaver at every point',
  'weaver+trigger': 'weaver and trigger',
  adapter: 'LoRA adapter',
  reasoner: 'trained reasoner',
};

/** @param arms - all that are compared: a weaver alone is simply the trained one. */
export function armLabel(arm: string, arms: readonly string[]): string {
  if (arm === 'weaver' && !arms.includes('weaver+trigger')) return 'trained weaver';
  return labels[arm] ?? arm;
}
