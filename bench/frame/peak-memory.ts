// Peak of the memory of this process since a moment.
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Begins to watch. Linux lets a process reset its peak; elsewhere the peak of the whole process counts.
 * @returns a function that gives the growth of the peak over the memory at the beginning, in bytes.
 */
export function watchPeakMemory(): () => number {
  const canReset = resetPeak();
  const before = process.memoryUsage.rss();
  return () =>
    Math.max(canReset ? peakOfStatus() : 1024 * process.resourceUsage().maxRSS, process.memoryUsage.rss()) - before;
}

function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return peakOfStatus() > 0;
  } catch {
    return false;
  }
}

function peakOfStatus(): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return 1024 * Number(kibibytes ?? 0);
}
