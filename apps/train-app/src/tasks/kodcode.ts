// KodCode: Python functions, rewarded by their tests in a sandbox.
import { codeBlocks, kodCodeReward, loadKodCode, PythonSandbox, type KodCodeRow } from '@memgen/bench';
import { rewardPerSample } from '@memgen/common';
import type { Experiment } from '../config/load-experiment.js';
import { fileFacts, toExample, toPolicyRow } from './supervised-rows.js';
import { ofTask, type Question, type Task } from './task.js';

type KodCodeData = Extract<Experiment['data'], { task: 'kodcode' }>;

/** @throws MemGenError of a missing or broken data file, and if the sandbox cannot start. */
export async function createKodCodeTask(data: KodCodeData, seed: number): Promise<Task> {
  const loaded = await loadKodCode({ seed, ...(data.source !== undefined && { source: data.source }) });
  const sandbox = await PythonSandbox.open({ workers: data.workers });
  const training = loaded.train.slice(0, data.maxTrainRows);
  const tested = loaded.test.slice(0, data.testRows);
  const rows = new Map(tested.map((row) => [row.id, row]));
  const reward = kodCodeReward({ sandbox });
  const all = loaded.train.length + loaded.validation.length + loaded.test.length;
  return {
    story: 'Programming problems. An answer is right when the tests of its problem pass; they run in a sandbox.',
    training: training.map(toExample),
    validation: loaded.validation.slice(0, data.validationRows).map(toExample),
    policy: {
      rows: training.map(toPolicyRow),
      rewards: {
        correct: ofTask(reward),
        form: ofTask(
          rewardPerSample({
            name: 'has-code',
            score: ({ completion }) => (codeBlocks(completion).length > 0 ? 1 : 0),
          }),
        ),
        partial: ofTask(kodCodeReward({ sandbox, preset: 'share' })),
      },
    },
    tests:
      tested.length === 0
        ? []
        : [{ name: 'kodcode', title: 'KodCode, held-out problems', purpose: 'memory', questions: tested }],
    score: scoreCode,
    data: await fileFacts('kodcode', loaded.files, () => all),
    dispose: () => sandbox.close(),
  };

  async function scoreCode(completion: string, { id }: Question) {
    const row: KodCodeRow = rows.get(id)!;
    const [verdict] = await reward.score([{ row, completion }]);
    return { extracted: verdict?.reason, correct: verdict?.value === 1 };
  }
}
