// `memgen doctor`: what this machine can compute with, how fast, and what to do about each problem.
import { Command } from 'commander';
import type { BackendReport, MachineReport } from '../../backend/doctor/examine.js';
import { examine } from '../../backend/doctor/examine.js';
import { gigabytes } from '../format.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('report backends, versions, threads, memory and the speed of a matrix product')
    .option('--json', 'print the report as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const self = [process.execPath, ...process.execArgv, process.argv[1] ?? ''] as const;
      const report = await examine({ probeCommand: self });
      process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : describeReport(report));
      if (report.defaultBackend === undefined) process.exitCode = 1;
    });
}

/** The report as a page of text. */
export function describeReport(report: MachineReport): string {
  const { node, memory, kernels } = report;
  const lines = [
    `Node       ${node.version}${node.supported ? '' : ' (too old: 20.19 or newer is needed)'}`,
    `Machine    ${report.platform}, ${report.processor}, ${report.cores} ${report.cores === 1 ? 'core' : 'cores'}`,
    `Memory     ${gigabytes(memory.free)} free of ${gigabytes(memory.total)}`,
    `Cache      ${report.cacheFolder}`,
    `Kernels    vectors of ${kernels.vectorBits} bits${kernels.toDo === undefined ? '' : `; ${kernels.toDo}`}`,
    '',
    row(['Backend', 'State', 'Device', 'Threads', 'Speed', 'in bfloat16', 'Version']),
    ...report.backends.map(describeBackend),
    '',
    report.defaultBackend === undefined
      ? 'No backend works.'
      : `Default: ${report.defaultBackend} (MEMGEN_BACKEND names another one).`,
  ];
  const broken = report.backends.filter(({ works }) => !works);
  if (broken.length > 0) lines.push('', 'What does not work, and what helps:');
  for (const { name, problem, toDo } of broken) lines.push(`  ${name}: ${problem ?? 'unknown'}`, `    ${toDo ?? ''}`);
  return `${lines.join('\n')}\n`;
}

function describeBackend(backend: BackendReport): string {
  const { name, works, device = '', threads, gigaflops = 0, bfloat16Gigaflops, version = '' } = backend;
  if (!works) return row([name, 'no']);
  const bfloat16 = bfloat16Gigaflops === undefined ? '' : speed(bfloat16Gigaflops);
  return row([name, 'works', device, String(threads ?? ''), speed(gigaflops), bfloat16, version]);
}

function speed(gigaflops: number): string {
  return `${gigaflops >= 10 ? gigaflops.toFixed(0) : gigaflops.toFixed(1)} GFLOP/s`;
}

function row(cells: readonly string[]): string {
  const [name = '', state = '', device = '', threads = '', float32 = '', bfloat16 = '', version = ''] = cells;
  const texts = [name.padEnd(14), state.padEnd(6), device.padEnd(6)];
  const numbers = [threads.padStart(7), float32.padStart(13), bfloat16.padStart(13)];
  return [...texts, ...numbers, ` ${version}`].join(' ').trimEnd();
}
