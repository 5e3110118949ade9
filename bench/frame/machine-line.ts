// The machine in one line.
import { cpus, totalmem } from 'node:os';

export function machineLine(): string {
  const [cpu] = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `Node ${process.versions.node}, ${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, ${memory} GiB`;
}
