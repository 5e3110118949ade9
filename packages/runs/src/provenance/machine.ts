// What the machine under a run is: the part of a manifest that explains timings and rounding.
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';

/** As it stands in manifest.json. */
export interface MachineFacts {
  /** Version of Node, e.g. `v20.20.2`. */
  node: string;
  /** e.g. `linux x64`. */
  platform: string;
  /** Model name of the first core, `unknown` where the system does not tell. */
  cpu: string;
  /** Cores that this process may use. */
  cpu_cores: number;
  memory_bytes: number;
}

export function describeMachine(): MachineFacts {
  return {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpu_cores: availableParallelism(),
    memory_bytes: totalmem(),
  };
}
