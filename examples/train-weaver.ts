// What the training app does, by the packages alone: train a weaver, keep a run folder, answer questions, write a report.
import { Random, writeFileAtomically } from '@memgen/common';
import { ChatTemplate, generate, loadReasoner, saveMemGen, startBackend } from '@memgen/core';
import { renderReport, RunFolder, runReport } from '@memgen/runs';
import { prepareWovenRows, trainWeaver, type StepReport } from '@memgen/sft';
import { createShop, exactMatch, modelFolder } from '@memgen/tiny-reasoner';
import { alignmentTo, LatentWeaver } from '@memgen/weaver';

/**
 * Trains a weaver for the prices of a shop and lets the reasoner answer with and without it.
 *
 * @param folder - the run folder, new or empty.
 * @param steps - optimizer steps; the loss has a long plateau, so that fewer than a thousand teach little.
 */
export async function trainShopWeaver(folder: string, { steps = 1000, questions = 100 } = {}): Promise<void> {
  const backend = await startBackend();
  const reasoner = await loadReasoner(modelFolder());
  const { decoder, tokenizer, origin } = reasoner;
  const shop = createShop({ seed: 1 });
  const generation = { maxInferencePoints: 0 };
  const examples = shop.trainingRows(8 * steps, { curriculum: true });
  const { rows } = prepareWovenRows(examples, { tokenizer, ...generation });
  const lora = { r: 16, alpha: 32, targetModules: ['q_proj', 'v_proj'] };
  const queryIds = tokenizer.encode('Note: 7, 7.Cost:');
  const [latentId] = tokenizer.encode(' 7');
  const alignment = await alignmentTo(decoder, { queryIds, latentId });
  const start = { lora, initialization: 'aligned', alignment } as const;
  const weaver = LatentWeaver.initialize(decoder, decoder.config.hiddenSize, start, Random.fromSeed(1).fork('weaver'));
  const session = { command: ['train-weaver', folder], backend: { name: backend.name }, packages: {} };
  const manifest = { name: 'shop-weaver', seed: 1, config: { steps }, models: [], data: [], session };
  const run = await RunFolder.create(folder, { clock: Date.now, manifest });

  const schedule = { kind: 'cosine', peak: 1.2e-3, floor: 0.05, warmup: Math.floor(steps / 100) } as const;
  const rates = (name: string) => (name === 'weaver_to_reasoner.weight' ? 0.4 : 1);
  const onStep = ({ step, loss }: StepReport) => {
    run.appendMetrics(step, { 'train/loss': loss });
  };
  // The same call goes on from the newest checkpoint, whatever ended it.
  const write = (path: string) => saveMemGen(path, { reasoner: origin, weaver, generation });
  await trainWeaver(decoder, weaver, rows, {
    ...{ steps, batchSize: 8, seed: 1, shuffle: false, schedule, onStep },
    checkpoints: { folder: run.file('checkpoints'), write },
    adamW: { betas: [0.9, 0.98], rates },
    gradientCheckpointing: false,
  });

  const tests = shop.testRows({ perFamily: questions }).mul_new.map(({ messages, answer }, i) => ({
    prompt: ChatTemplate.chatMl().render([messages[0]], { addGenerationPrompt: true }),
    facts: { step: steps, family: 'mul_new', row: String(i), solution: answer },
  }));
  const prompts = tests.map(({ prompt }) => tokenizer.encode(prompt));
  for (const [arm, latents] of Object.entries({ before: undefined, after: weaver })) {
    const answers = await generate(reasoner, prompts, { weaver: latents, maxNewTokens: 48, ...generation });
    for (const [i, { ids }] of answers.entries()) {
      const completion = tokenizer.decode(ids, { skipSpecialTokens: true });
      const { prompt, facts } = tests[i]!;
      run.appendAnswer({ ...facts, arm, prompt, completion, correct: exactMatch(completion, facts.solution) === 1 });
    }
  }
  await run.close('finished');
  const report = await runReport(folder, { writtenAt: new Date().toISOString() });
  await writeFileAtomically(run.file('report.html'), await renderReport(report));
  weaver.dispose();
  decoder.dispose();
}

const folder = process.argv[2];
if (import.meta.filename === process.argv[1] && folder !== undefined) await trainShopWeaver(folder);
