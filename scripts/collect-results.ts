// `pnpm results NAME RUN...`: writes docs/results/NAME from finished run folders: manifests, curves, a table.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MemGenError } from '@memgen/common';
import { readAnswers, readManifest, readMetrics, renderCurve, type AnswerRecord, type RunManifest } from '@memgen/runs';
import { z } from 'zod';

const [name, ...runs] = process.argv.slice(2);

const countsSchema = z.object({
  n: z.number(),
  accuracy: z.number(),
  interval: z.object({ low: z.number(), high: z.number() }),
  paired: z.object({ p: z.number() }).optional(),
});
const resultsSchema = z.object({
  headline: z.array(
    z.object({
      test: z.string(),
      arms: z.array(z.object({ arm: z.string(), overall: countsSchema, families: z.record(z.string(), countsSchema) })),
    }),
  ),
  validation_loss: z.record(z.string(), z.number()),
  old_skills_changed_with_latents_off: z.number().nullable(),
  /** By test and arm. */
  weave_rates: z.record(z.string(), z.record(z.string(), z.number())).default({}),
  facts: z.array(z.object({ title: z.string(), facts: z.array(z.object({ label: z.string(), value: z.string() })) })),
});

interface Run {
  manifest: RunManifest;
  results: z.output<typeof resultsSchema>;
  /** Of those of {@link curves} that it has, by metric. */
  curves: ReadonlyMap<string, Point[]>;
  answers: readonly AnswerRecord[];
}

interface Point {
  step: number;
  value: number | null;
}

/** Metrics by step that are kept; how they are called and what they are. */
const curves: Readonly<Record<string, { title: string; valueLabel: string; file: string }>> = {
  'train/loss': { title: 'Training loss', valueLabel: 'loss per supervised token', file: 'loss' },
  'train/reward': { title: 'Reward', valueLabel: 'mean reward of a rollout', file: 'reward' },
  'train/weave_rate': { title: 'Weave rate', valueLabel: 'share of the points woven', file: 'weave-rate' },
};

/** Paths of the machine that ran it are nobody's business: the name of the file is what counts. */
function withoutPaths(value: unknown): unknown {
  if (typeof value === 'string')
    return value.replace(/(?<=^|=)\/\S+/g, (path) => (isAbsolute(path) ? basename(path) : path));
  if (Array.isArray(value)) return value.map(withoutPaths);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutPaths(member)]));
}

async function readRun(folder: string): Promise<Run> {
  const path = join(folder, 'manifest.json');
  const manifest = await readManifest(path);
  if (manifest.status !== 'finished') {
    throw new MemGenError({
      code: 'run-unfinished',
      where: path,
      message: 'only a finished run is a result',
      got: manifest.status,
    });
  }
  const metrics = readMetrics(folder);
  const isPolicy = metrics.some((record) => 'train/reward' in record);
  const kept = new Map<string, Point[]>();
  for (const metric of Object.keys(curves)) {
    // The loss of a policy gradient says nothing of what was learned, and points are always woven where nothing decides.
    if (isPolicy ? metric === 'train/loss' : metric !== 'train/loss') continue;
    const points = metrics.flatMap((record) => {
      const value = record[metric];
      return value === undefined ? [] : [{ step: record.step, value: value as number | null }];
    });
    if (new Set(points.map(({ value }) => value)).size > 1) kept.set(metric, points);
  }
  return {
    manifest: withoutPaths(manifest) as RunManifest,
    results: resultsSchema.parse(manifest.results),
    curves: kept,
    answers: readAnswers(folder),
  };
}

const percent = (value: number) => (100 * value).toFixed(1);

function accuracyTables(all: readonly Run[]): string[] {
  const tests = all[0]!.results.headline.map(({ test }) => test);
  return tests.map((test) => {
    const rows = all.flatMap(({ manifest, results }) =>
      results.headline
        .filter((headline) => headline.test === test)
        .flatMap(({ arms }) =>
          arms.map(({ arm, overall: { n, accuracy, interval, paired }, families }) => [
            String(manifest.seed),
            arm,
            `**${percent(accuracy)} %**`,
            `${percent(interval.low)} to ${percent(interval.high)}`,
            paired === undefined ? '' : paired.p < 0.001 ? '< 0.001' : paired.p.toFixed(3),
            String(n),
            Object.entries(families).length < 2
              ? ''
              : Object.entries(families)
                  .map(([family, counts]) => `${family} ${percent(counts.accuracy)}`)
                  .join(', '),
          ]),
        ),
    );
    return `### Accuracy: ${test}\n${markdownTable(['seed', 'arm', 'right', '95 % interval', 'p against vanilla', 'rows', 'by family'], rows)}`;
  });
}

function validationTable(all: readonly Run[]): string[] {
  const rows = all.flatMap(({ manifest, results }) =>
    Object.entries(results.validation_loss).map(([arm, loss]) => [
      String(manifest.seed),
      arm,
      `**${loss.toFixed(4)}**`,
    ]),
  );
  return rows.length === 0
    ? []
    : [`### Validation loss per supervised token\n${markdownTable(['seed', 'arm', 'loss'], rows)}`];
}

/** A trigger beside its oracle, which knows for each row whether latents make its answer right, and weaves nowhere else. */
function triggerTable(all: readonly Run[]): string[] {
  const rows = all.flatMap(({ manifest, results, answers }) =>
    Object.entries(results.weave_rates).flatMap(([test, rates]) => {
      const rate = rates['weaver+trigger'];
      if (rate === undefined) return [];
      const correct = (arm: string) =>
        new Map(
          answers.flatMap((answer) =>
            answer.arm === arm && answer.family.split('/')[0] === test
              ? [[`${answer.family} ${answer.row}`, answer.correct]]
              : [],
          ),
        );
      const [alone, woven, chosen] = ['vanilla', 'weaver', 'weaver+trigger'].map(correct) as [
        Map<string, boolean>,
        Map<string, boolean>,
        Map<string, boolean>,
      ];
      const share = (isCounted: (row: string) => boolean) =>
        percent([...chosen.keys()].filter(isCounted).length / chosen.size);
      return [
        [
          String(manifest.seed),
          test,
          `**${share((row) => chosen.get(row) === true)} %**`,
          `${share((row) => alone.get(row) === true || woven.get(row) === true)} %`,
          `${percent(rate)} %`,
          `${share((row) => alone.get(row) !== true)} %`,
          String(chosen.size),
        ],
      ];
    }),
  );
  const header = [
    'seed',
    'test',
    'trigger: right',
    'oracle: right',
    'trigger: woven',
    'not right without latents',
    'rows',
  ];
  return rows.length === 0 ? [] : [`### The trigger and its oracle\n${markdownTable(header, rows)}`];
}

function skillsSentence(all: readonly Run[]): string[] {
  const changed = all.map(({ results }) => results.old_skills_changed_with_latents_off);
  if (changed.every((count) => count === null)) return [];
  return [`Answers on old skills that changed with latents off: ${changed.join(', ')} (runs in order of the seeds).`];
}

function machineTable(all: readonly Run[]): string {
  const rows = all.map(({ manifest, results }) => {
    const facts = new Map(results.facts.flatMap((group) => group.facts).map(({ label, value }) => [label, value]));
    const { machine, git } = manifest.sessions.at(-1)!;
    const resumed = manifest.sessions.length > 1 ? ` (last of ${manifest.sessions.length} sessions)` : '';
    return [
      String(manifest.seed), facts.get('backend') ?? '', `${facts.get('time') ?? ''}${resumed}`, `${facts.get('whole run') ?? ''}${resumed}`,
      facts.get('peak memory of the process') ?? '', `${machine.cpu_cores} x ${machine.cpu}, Node ${machine.node}`,
      git === undefined ? '' : `${git.commit.slice(0, 9)}${git.dirty ? ' (changed)' : ''}`,
    ]; // prettier-ignore
  });
  return markdownTable(['seed', 'backend', 'training', 'whole run', 'peak memory', 'machine', 'commit'], rows);
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

async function main(): Promise<void> {
  if (name === undefined || runs.length === 0) {
    throw new MemGenError({
      code: 'arguments',
      message: 'a name and run folders are needed',
      expected: 'pnpm results NAME RUN...',
    });
  }
  const all = await Promise.all(runs.map(readRun));
  all.sort((a, b) => a.manifest.seed - b.manifest.seed);
  const folder = fileURLToPath(new URL(`../docs/results/${name}/`, import.meta.url));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const write = (file: string, text: string) => writeFile(join(folder, file), text);
  for (const run of all) {
    const { seed } = run.manifest;
    await write(`seed-${seed}.manifest.json`, `${JSON.stringify(run.manifest, undefined, 2)}\n`);
    for (const [metric, points] of run.curves) {
      const { file } = curves[metric]!;
      const lines = points.map(({ step, value }) => `${step},${value === null ? '' : value.toPrecision(6)}`);
      await write(`seed-${seed}.${file}.csv`, [`step,${file}`, ...lines, ''].join('\n'));
    }
  }
  const pictures: string[] = [];
  for (const [metric, { title, valueLabel, file }] of Object.entries(curves)) {
    const series = all.flatMap(({ manifest: { seed }, curves }) => {
      const points = curves.get(metric);
      return points === undefined ? [] : [{ label: `seed ${seed}`, points }];
    });
    if (series.length === 0) continue;
    await write(
      `${file}.svg`,
      await renderCurve({ title: `${title}: ${name}`, caption: '', valueLabel, smooth: true, series }),
    );
    pictures.push(`### ${title}\n![${title} of each seed](${file}.svg)`);
  }
  const commands = all.flatMap(({ manifest }) => manifest.sessions.map(({ command }) => command.join(' ')));
  await write(
    'README.md',
    [
      `# ${name}`,
      'Written by `pnpm results` from run folders; the manifests beside hold every setting. Paths are shortened to file names.',
      ...accuracyTables(all),
      ...validationTable(all),
      ...skillsSentence(all),
      ...triggerTable(all),
      ...pictures,
      `### Runs\n${machineTable(all)}`,
      `\`\`\`sh\n${commands.join('\n')}\n\`\`\``,
      '',
    ].join('\n\n'),
  );
  process.stdout.write(`wrote docs/results/${name}\n`);
}

try {
  await main();
} catch (error) {
  if (!MemGenError.isInstance(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
