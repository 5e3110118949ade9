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
  const { node, memory } = report;
  const lines = [
    `Node       ${node.version}${node.supported ? '' : ' (too old: 20.19 or newer is needed)'}`,
    `Machine    ${report.platform}, ${report.processor}, ${report.cores} ${report.cores === 1 ? 'core' : 'cores'}`,
    `Memory     ${gigabytes(memory.free)} free of ${gigabytes(memory.total)}`,
    `Cache      ${report.cacheFolder}`,
    '',
    row('Backend', 'State', 'Device', 'Threads', 'Speed', 'Version'),
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

function describeBackend({ name, works, device, threads, gigaflops = 0, version = '' }: BackendReport): string {
  if (!works) return row(name, 'no', '', '', '', '');
  const speed = `${gigaflops >= 10 ? gigaflops.toFixed(0) : gigaflops.toFixed(1)} GFLOP/s`;
  return row(name, 'works', device ?? '', threads === undefined ? '' : String(threads), speed, version);
}

function row(name: string, state: string, device: string, threads: string, speed: string, version: string): string {
  const cells = [
    name.padEnd(14),
    state.padEnd(6),
    device.padEnd(6),
    threads.padStart(7),
    speed.padStart(13),
    ` ${version}`,
  ];
  return cells.join(' ').trimEnd();
}
