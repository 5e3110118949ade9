// The page of text that `memgen inspect` prints.
import { modelFolder } from '@memgen/tiny-reasoner';
import { describe, expect, it } from 'vitest';
import { inspectModel, type InspectedModel, type Inspection } from '../../inspection/index.js';
import { describeInspection } from './describe-inspection.js';

const common = { source: 'x', path: '/models/x', files: [], tensors: [], problems: [] };

describe('a model', () => {
  it('is described by its sizes, files, tensors and memory', async () => {
    const page = describeInspection(await inspectModel(modelFolder()), { availableMemory: 3.4e9 });
    for (const line of [
      /^ {2}Architecture +qwen2 \(Qwen2ForCausalLM\)$/m,
      /^ {2}Parameters +952,960$/m,
      /^ {2}Hidden size +128 \(feed-forward 384\)$/m,
      /^ {2}Heads +4 of 32$/m,
      /^ {2}Vocabulary +768, embeddings tied to the head$/m,
      /^ {2}Rope +theta 10,000$/m,
      /^ {2}Tokenizer +byte-level BPE, 768 tokens$/m,
      /^ {2}Chat template +yes$/m,
      /^ {2}model\.safetensors +1\.9 MB$/m,
      /^Tensors +count +elements +size\nBF16 +50 +952,960 +1\.9 MB$/m,
      /^Memory +main memory +device memory +3\.4 GB free$/m,
      /^wasm +4\.6 MB +- +fits$/m,
      /^Each token of context takes 4\.1 kB more/m,
      /^Training a weaver on 4 rows of 256 tokens takes \d+\.\d MB more, or \d+\.\d MB without/m,
      /\n\nThis model can be run and trained on\.\n$/,
    ]) {
      expect(page).toMatch(line);
    }
    expect(page).not.toContain('Revision');
    expect(page).not.toContain('model.norm.weight');
  });

  it('is listed tensor by tensor on request', async () => {
    const page = describeInspection(await inspectModel(modelFolder()), { tensors: true, availableMemory: 1e9 });
    expect(page).toMatch(/^ {2}model\.layers\.3\.mlp\.down_proj\.weight +BF16 +\[128, 384\] +98\.3 kB$/m);
    expect(page.match(/\.weight|\.bias/g)).toHaveLength(50);
  });

  it('that does not fit, or not on one backend, is marked', async () => {
    const inspection = await inspectModel(modelFolder());
    expect(describeInspection(inspection, { availableMemory: 1e6 })).toMatch(/^cpu .* does not fit now$/m);
    const { memory } = inspection as InspectedModel;
    const backends = memory!.backends.map((backend) => ({ ...backend, problem: 'too large' }));
    const marked = { ...inspection, memory: { ...memory!, backends } } as Inspection;
    expect(describeInspection(marked, { availableMemory: 1e12 })).toMatch(/^wasm .* too large$/m);
  });

  it('that cannot be run is told with the reasons, and without what is not known', () => {
    const page = describeInspection(
      {
        ...common,
        kind: 'model',
        format: 'gguf',
        revision: 'abc',
        architecture: {
          type: 'gemma',
          parameters: 12,
          heads: 8,
          headSize: 64,
          keyValueHeads: 2,
          rope: { scaling: { type: 'yarn', factor: 4, originalContext: 4096 } },
        },
        unusedTensors: ['a', 'b', 'c', 'd'],
        problems: [{ part: 'configuration', code: 'model-architecture', message: 'not supported\n  got: gemma' }],
      },
      { availableMemory: 1e9 },
    );
    expect(page).toMatch(
      /Kind +GGUF file\n +Revision +abc\n +Architecture +gemma\n +Parameters +12\n +Heads +8 of 64, 2 for/,
    );
    expect(page).toMatch(
      /Rope +yarn scaling, factor 4, original context 4,096\n +Tokenizer +none\n +Chat template +no\n/,
    );
    expect(page).toContain('Not used: a, b, c and 1 more');
    expect(page).toContain('cannot do with it:\n  configuration: not supported\n    got: gemma\n');
    expect(page).not.toMatch(/Layers|Memory/);
  });
});

it.each<[string, Inspection, RegExp]>([
  [
    'an adapter',
    {
      ...common,
      kind: 'adapter',
      adapter: {
        type: 'LORA',
        rank: 16,
        alpha: 32,
        targetModules: ['q_proj', 'v_proj'],
        modules: 60,
        parameters: 921600,
      },
    },
    /adapter folder \(PEFT\)\n +Adapter +LORA, rank 16, alpha 32\n +Targets +q_proj, v_proj\n +Adapts +60 modules, 921,600 param/,
  ],
  [
    'a checkpoint',
    {
      ...common,
      kind: 'checkpoint',
      version: 1,
      reasoner: { source: 'org/base', revision: 'abc', configHash: '0123456789abcdef' },
      parts: [{ name: 'weaver', parameters: 1234 }],
    },
    /checkpoint, version 1\n +Reasoner +org\/base, revision abc\n +Configuration +0123456789ab \(SHA-256\)\n +Part weaver +1,234 param/,
  ],
  ['a file', { ...common, kind: 'tensors', metadata: { format: 'pt' } }, /safetensors\n +format +pt\n[\s\S]*sound/],
])('%s is described by what it has', (_, inspection, expected) => {
  expect(describeInspection(inspection, { availableMemory: 1e9 })).toMatch(expected);
});
