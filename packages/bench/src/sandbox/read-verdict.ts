// Turns what a thread replied into a verdict; the reply may be a hostile program's own.
import { z } from 'zod';
import type { PythonProgram, PythonVerdict } from './python-program.js';
import type { WorkerReply } from './worker-types.js';

const errorSchema = z.object({
  type: z.string().max(1000),
  message: z.string().max(1000),
  line: z.number().nullable(),
  missingModule: z.string().max(1000).optional(),
});
const verdictSchema = z.object({
  stage: z.enum(['program', 'tests']).nullable(),
  error: errorSchema.nullable(),
  tests: z.array(
    z.object({
      name: z.string().max(10_000),
      outcome: z.enum(['passed', 'failed', 'skipped']),
      error: errorSchema.nullable(),
    }),
  ),
  output: z.string(),
});

type Reply = Extract<WorkerReply, { id: number }>;

export function readVerdict(reply: Reply, program: PythonProgram): PythonVerdict {
  if (reply.kind === 'broken') return crashed(reply);
  let value: unknown;
  try {
    value = JSON.parse(reply.verdict);
  } catch {
    value = undefined;
  }
  const parsed = verdictSchema.safeParse(value);
  if (!parsed.success) return { ...empty, outcome: 'raised', reason: 'the program ended before its tests did' };
  const { stage, error, tests, output } = parsed.data;
  if (error !== null) {
    const where = stage === 'program' ? 'the program' : 'the test file';
    return { outcome: 'raised', reason: `${where} raised ${error.type}: ${error.message}`, tests, error, output };
  }
  const failed = tests.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0) {
    const [first] = failed;
    const reason = `${failed.length} of ${tests.length} tests failed, first ${first!.name}: ${first!.error?.type}: ${first!.error?.message}`;
    return { outcome: 'failed', reason, tests, output };
  }
  if (program.tests !== undefined && tests.length === 0) {
    return { outcome: 'failed', reason: 'there is no function whose name starts with test_', tests, output };
  }
  return { outcome: 'passed', tests, output };
}

const empty = { tests: [], output: '' } satisfies Partial<PythonVerdict>;

function crashed({ denied, reason }: Extract<Reply, { kind: 'broken' }>): PythonVerdict {
  const forbidden = denied.length === 0 ? reason : `forbidden: ${denied.join(', ')}`;
  return { ...empty, outcome: 'crashed', reason: `the interpreter stopped (${forbidden})` };
}
