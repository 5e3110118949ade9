// Examines this machine: Node, memory, and every backend in a process of its own.
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { z } from 'zod';
import type { BackendName } from '../backend-info.js';
import { backendNames } from '../backend-info.js';
import { cacheFolder } from '../cache-folder.js';
import { kernelsAreOff, nativeKernels, processorHasAvx512 } from '../native/native-kernels.js';
import { joinsVectors } from '../web-assembly.js';
import { complaint } from '../install/engine-package.js';
import { runProcess } from '../install/run-process.js';
import { remedies } from '../start-backend.js';

/** What is known about one backend. */
export interface BackendReport {
  name: BackendName;
  works: boolean;
  device?: 'cpu' | 'gpu';
  version?: string;
  threads?: number;
  /** Speed of a `[256, 576] x [576, 1536]` product. */
  gigaflops?: number;
  /** The same with products in bfloat16, where the backend has them: only if it is higher do they save time. */
  bfloat16Gigaflops?: number;
  problem?: string;
  toDo?: string;
}

export interface MachineReport {
  node: { version: string; supported: boolean };
  platform: string;
  processor: string;
  cores: number;
  /** Bytes. */
  memory: { total: number; free: number };
  cacheFolder: string;
  /** What computes new tokens, and short prompts: the longest vectors of its products, in bits. */
  kernels: { vectorBits: 128 | 256 | 512; toDo?: string };
  backends: BackendReport[];
  /** What `startBackend()` would take; absent if nothing works. */
  defaultBackend?: BackendName;
}

const probeAnswer = z.object({
  device: z.enum(['cpu', 'gpu']),
  version: z.string(),
  threads: z.number().optional(),
  gigaflops: z.number(),
  bfloat16Gigaflops: z.number().optional(),
});

/** Runs `memgen probe NAME`; the words before it start this same command again. */
export type ProbeCommand = readonly [program: string, ...parameters: string[]];

/** Never throws for a backend that fails: that is what the report is for. */
export async function examine({
  probeCommand,
  environment = process.env,
}: {
  probeCommand: ProbeCommand;
  environment?: NodeJS.ProcessEnv;
}): Promise<MachineReport> {
  const backends: BackendReport[] = [];
  // One after the other: they would take each other's cores.
  for (const name of backendNames) backends.push(await examineBackend(name, { probeCommand, environment }));
  return {
    node: { version: process.version, supported: isSupported(process.versions.node) },
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: { total: totalmem(), free: freemem() },
    cacheFolder: cacheFolder({ environment }),
    kernels: examineKernels(),
    backends,
    defaultBackend: backends.find(({ works }) => works)?.name,
  };
}

function examineKernels(): MachineReport['kernels'] {
  if (nativeKernels() !== undefined) return { vectorBits: 512 };
  const vectorBits = joinsVectors() ? 256 : 128;
  if (kernelsAreOff() || !processorHasAvx512()) return { vectorBits };
  return { vectorBits, toDo: 'this processor has longer ones: run `npx memgen backend install --kernels`' };
}

async function examineBackend(
  name: BackendName,
  { probeCommand, environment }: { probeCommand: ProbeCommand; environment: NodeJS.ProcessEnv },
): Promise<BackendReport> {
  const [program, ...parameters] = probeCommand;
  const result = await runProcess(program, [...parameters, 'probe', name], { environment, timeout: 60_000 });
  const answer = probeAnswer.safeParse(jsonOf(result.stdout));
  if (result.code === 0 && answer.success) return { name, works: true, ...answer.data };
  const ended = result.signal === null ? complaint(result.stderr, 4) : `its process was ended by ${result.signal}`;
  return { name, works: false, problem: problemOf(result.stderr) ?? ended, toDo: remedies[name] };
}

/** The `got:` line of a MemGenError is the reason; the rest repeats what the report says anyway. */
function problemOf(text: string): string | undefined {
  return /^ {2}got: +(.*)$/m.exec(text)?.[1];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node 20 from 20.19 on, and everything newer. */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}
