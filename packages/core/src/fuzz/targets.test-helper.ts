// What is fuzzed: for each kind of file, how a damaged one is made, and all that a user could do with it.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChatMessage, Random } from '@memgen/common';
import { convertModel } from '../conversion/index.js';
import {
  ggufToConfig,
  ggufToTokenizer,
  openGguf,
  openSafetensors,
  openTorchPickle,
  openWeights,
  readJsonFile,
  writePeftAdapter,
  type TensorSource,
} from '../formats/index.js';
import { inspectModel } from '../inspection/index.js';
import { loadAdapter, readDecoderConfig } from '../model/index.js';
import { loadReasoner } from '../reasoner/index.js';
import { ChatTemplate, Tokenizer } from '../text/index.js';
import { mutateBytes } from './hostile-bytes.test-helper.js';
import { hostileGguf } from './hostile-gguf.test-helper.js';
import { mutateJson } from './hostile-json.test-helper.js';
import { hostileCheckpoint, intactCheckpoint } from './hostile-pickle.test-helper.js';
import { hostileSafetensors, safetensorsBytes } from './hostile-safetensors.test-helper.js';
import { hostileTemplate } from './hostile-template.test-helper.js';
import { hostileTokenizer, mutateTokenizer } from './hostile-tokenizer.test-helper.js';
import { smallAdapter, smallConfig, smallConfigJson, smallFiles, smallTensors } from './small-model.test-helper.js';

export interface FuzzTarget {
  /** Cases of one run. */
  cases: number;
  /** Writes the damaged file and what belongs around it into an empty folder. */
  prepare: (random: Random, folder: string) => Promise<void>;
  /** Throws nothing but `MemGenError`. */
  use: (folder: string, random: Random) => Promise<void>;
}

const texts = [
  'Hello, world 123 \u00bd\n\n  x',
  `${'a'.repeat(60)}!`,
  ' '.repeat(3000),
  'aB1,'.repeat(500),
  'ab<|im_end|>\ud800\u0130',
  '',
];
const conversation: ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Hi.' },
];

/** Anything damaged, or one size that no weight bears out. */
function hostileConfig(random: Random): string {
  if (random.float() < 0.7) return mutateJson(random, smallConfigJson);
  const sizes = Object.entries(smallConfigJson).filter(([, value]) => Number.isInteger(value));
  const size = random.pick([2, 64, 128, 4096, 65_536, 2 ** 20, 2 ** 24, 2 ** 31]);
  return JSON.stringify({ ...smallConfigJson, [random.pick(sizes)[0]]: size });
}

/** Every tensor in every way; an error of one must not hide those of the others. */
async function readAll(source: TensorSource & Partial<Reads>, expected: (error: unknown) => void): Promise<void> {
  try {
    for (const name of source.tensors.keys()) {
      await source.readFloat32(name).catch(expected);
      await source.readRaw?.(name).catch(expected);
      await source.readNumbers?.(name).catch(expected);
    }
  } finally {
    await source.close();
  }
}

interface Reads {
  readRaw(name: string): Promise<Uint8Array>;
  readNumbers(name: string): Promise<number[]>;
}

/** @param expected - rethrows what is no `MemGenError`. */
export function makeTargets(expected: (error: unknown) => void): Record<string, FuzzTarget> {
  const writeAll = async (folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> => {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  };
  const model = (): Record<string, string | Uint8Array> => ({
    ...Object.fromEntries(Object.entries(smallFiles()).map(([name, value]) => [name, JSON.stringify(value)])),
    'model.safetensors': safetensorsBytes(smallTensors),
  });
  const load = async (folder: string): Promise<void> => {
    const reasoner = await loadReasoner(folder, { offline: true });
    reasoner.decoder.dispose();
  };
  const inspect = async (folder: string): Promise<void> => {
    await inspectModel(folder, { offline: true });
  };

  return {
    safetensors: {
      cases: 200,
      prepare: (random, folder) => writeAll(folder, { 'model.safetensors': hostileSafetensors(random) }),
      use: async (folder) => {
        await inspect(join(folder, 'model.safetensors')).catch(expected);
        await readAll(await openSafetensors(folder), expected);
      },
    },
    gguf: {
      cases: 200,
      prepare: async (random, folder) => writeAll(folder, { 'model.gguf': await hostileGguf(random) }),
      use: async (folder) => {
        const path = join(folder, 'model.gguf');
        await inspect(path).catch(expected);
        const file = await openGguf(path);
        try {
          readDecoderConfig(ggufToConfig(file), path);
        } catch (error) {
          expected(error);
        }
        try {
          const { tokenizerJson, tokenizerConfig } = ggufToTokenizer(file);
          Tokenizer.fromJson(tokenizerJson, tokenizerConfig).encode('hello 12');
        } catch (error) {
          expected(error);
        }
        await readAll(file, expected);
        await load(path).catch(expected);
      },
    },
    'torch-pickle': {
      cases: 250,
      prepare: (random, folder) => writeAll(folder, { 'pytorch_model.bin': hostileCheckpoint(random) }),
      use: async (folder) => readAll(await openTorchPickle(join(folder, 'pytorch_model.bin')), expected),
    },
    tokenizer: {
      cases: 250,
      prepare: (random, folder) => writeAll(folder, hostileTokenizer(random)),
      use: async (folder, random) => {
        const tokenizer = await Tokenizer.fromFolder(folder);
        for (const text of texts) {
          try {
            tokenizer.decode(tokenizer.encode(text, { addSpecialTokens: random.float() < 0.5 }));
          } catch (error) {
            expected(error);
          }
        }
        if (tokenizer.chatTemplate !== undefined) ChatTemplate.ofTokenizer(tokenizer).render(conversation);
      },
    },
    template: {
      cases: 80,
      prepare: (random, folder) => writeAll(folder, { ...model(), 'chat_template.jinja': hostileTemplate(random) }),
      use: async (folder) => {
        ChatTemplate.ofTokenizer(await Tokenizer.fromFolder(folder)).renderWithParts(conversation);
      },
    },
    config: {
      cases: 200,
      prepare: (random, folder) => writeAll(folder, { ...model(), 'config.json': hostileConfig(random) }),
      use: async (folder) => {
        await inspect(folder).catch(expected);
        readDecoderConfig(await readJsonFile(join(folder, 'config.json')));
        await load(folder);
      },
    },
    adapter: {
      cases: 150,
      prepare: async (random, folder) => {
        await writePeftAdapter(folder, smallAdapter);
        const name = random.pick(['adapter_config.json', 'adapter_model.safetensors']);
        const bytes = await readFile(join(folder, name));
        const damaged =
          name === 'adapter_config.json'
            ? mutateJson(random, JSON.parse(bytes.toString()), ['"DORA"', '"all-linear"', '"(.*)*q_proj"', '"LORA"'])
            : hostileSafetensors(random, bytes);
        await writeAll(folder, { [name]: damaged });
      },
      use: async (folder) => {
        await inspect(folder).catch(expected);
        (await loadAdapter(folder, smallConfig)).dispose();
      },
    },
    shards: {
      cases: 120,
      prepare: async (random, folder) => {
        const pickled = random.float() < 0.4;
        const [ending, stem] = pickled ? ['.bin', 'pytorch_model'] : ['.safetensors', 'model'];
        const parts = [smallTensors.slice(0, 5), smallTensors.slice(5)];
        const names = parts.map((_, i) => `${stem}-0000${i + 1}-of-00002${ending}`);
        const entries = parts.flatMap((part, i) => part.map(({ name }) => [name, names[i]] as const));
        const index = { metadata: { total_size: 1 }, weight_map: Object.fromEntries(entries) };
        const own = [...names.map((name) => `"${name}"`), '"../model.safetensors"', `"a\\u0000${ending}"`];
        for (const [i, part] of parts.entries()) {
          await writeAll(folder, { [names[i]!]: pickled ? intactCheckpoint(part) : safetensorsBytes(part) });
        }
        await writeAll(folder, { [`${stem}${ending}.index.json`]: mutateJson(random, index, own) });
        if (random.float() > 0.2) return;
        const name = join(folder, random.pick(names));
        await writeFile(name, mutateBytes(random, await readFile(name)));
      },
      use: async (folder) => readAll((await openWeights(folder)).weights, expected),
    },
    model: {
      cases: 120,
      prepare: async (random, folder) => {
        const files = model();
        const name = random.pick(Object.keys(files));
        const content = files[name]!;
        const json = typeof content === 'string' ? (JSON.parse(content) as Record<string, unknown>) : undefined;
        const damaged =
          name === 'tokenizer.json'
            ? mutateTokenizer(random)
            : json === undefined
              ? hostileSafetensors(random)
              : mutateJson(random, json);
        await mkdir(join(folder, 'model'));
        await writeAll(join(folder, 'model'), { ...files, [name]: damaged });
      },
      use: async (folder, random) => {
        const [source, target] = [join(folder, 'model'), join(folder, 'converted')];
        await inspect(source).catch(expected);
        const dtype = random.pick(['F32', 'BF16', 'F16'] as const);
        const converted = await convertModel(source, target, { dtype }).then(
          () => true,
          (error: unknown) => {
            expected(error);
            return false;
          },
        );
        if (converted) await (await openSafetensors(target)).close();
        else if ((await readdir(folder)).length > 1) throw new Error('a failed conversion left something behind');
        await load(source);
      },
    },
  };
}
