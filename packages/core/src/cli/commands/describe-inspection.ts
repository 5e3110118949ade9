// An inspection as a page of text.
import type {
  AdapterFacts,
  ArchitectureFacts,
  InspectedModel,
  Inspection,
  ModelMemory,
  RopeFacts,
} from '../../inspection/index.js';
import { summarizeByDtype } from '../../inspection/index.js';
import { readableBytes } from '../../reasoner/readable-bytes.js';
import { table } from '../table.js';

export interface DescribeInspectionOptions {
  /** List every tensor. @default false */
  tensors?: boolean;
  /** Bytes of memory that can be had now. */
  availableMemory: number;
}

/** The page, with a line break at its end. */
export function describeInspection(
  inspection: Inspection,
  { tensors = false, availableMemory }: DescribeInspectionOptions,
): string {
  const sections = [
    [inspection.path, ...table(factsOf(inspection).filter((row) => row[1] !== ''))],
    [
      'Files',
      ...table(
        inspection.files.map(({ name, byteLength }) => [name, readableBytes(byteLength)]),
        { right: [1] },
      ),
    ],
    tensorSection(inspection),
    ...(tensors ? [listTensors(inspection)] : []),
    ...(inspection.kind === 'model' && inspection.memory !== undefined
      ? [memorySection(inspection.memory, availableMemory)]
      : []),
    verdict(inspection),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

type Row = readonly [name: string, value: string];

function factsOf(inspection: Inspection): Row[] {
  switch (inspection.kind) {
    case 'model':
      return modelFacts(inspection);
    case 'adapter':
      return [['Kind', 'adapter folder (PEFT)'], ...adapterFacts(inspection.adapter)];
    case 'checkpoint': {
      const { version, reasoner, parts } = inspection;
      return [
        ['Kind', `MemGen checkpoint${version === undefined ? '' : `, version ${version}`}`],
        ['Reasoner', [reasoner.source, reasoner.revision].filter((part) => part !== undefined).join(', revision ')],
        ['Configuration', reasoner.configHash === undefined ? '' : `${reasoner.configHash.slice(0, 12)} (SHA-256)`],
        ...parts.flatMap(({ name, parameters, adapter }): Row[] => [
          [`Part ${name}`, `${parameters.toLocaleString('en')} parameters`],
          ...(adapter === undefined ? [] : adapterFacts(adapter)),
        ]),
      ];
    }
    case 'tensors':
      return [['Kind', 'safetensors'], ...Object.entries(inspection.metadata)];
  }
}

function modelFacts({ architecture, format, revision = '', tokenizer }: InspectedModel): Row[] {
  const { type = 'not said', className, parameters } = architecture;
  return [
    ['Kind', format === 'gguf' ? 'GGUF file' : 'Hugging Face folder'],
    ['Revision', revision],
    ['Architecture', className === undefined ? type : `${type} (${className})`],
    ['Parameters', count(parameters)],
    ['Layers', count(architecture.layers)],
    ['Hidden size', withMore(count(architecture.hiddenSize), architecture.intermediateSize, 'feed-forward ')],
    ['Heads', headsOf(architecture)],
    ['Vocabulary', vocabularyOf(architecture)],
    ['Context', withMore(count(architecture.maxPositions), undefined, '', ' tokens')],
    ['Rope', ropeOf(architecture.rope)],
    ['Tokenizer', tokenizer === undefined ? 'none' : `${tokenizer.kind}, ${count(tokenizer.tokens)} tokens`],
    ['Chat template', tokenizer?.chatTemplate === true ? 'yes' : 'no'],
  ];
}

function headsOf({ heads, keyValueHeads, headSize }: ArchitectureFacts): string {
  if (heads === undefined) return '';
  const size = headSize === undefined ? '' : ` of ${headSize}`;
  const grouped =
    keyValueHeads === undefined || keyValueHeads === heads ? '' : `, ${keyValueHeads} for keys and values`;
  return `${heads}${size}${grouped}`;
}

function vocabularyOf({ vocabularySize, tiedEmbeddings }: ArchitectureFacts): string {
  if (tiedEmbeddings === undefined) return count(vocabularySize);
  return `${count(vocabularySize)}, embeddings ${tiedEmbeddings ? 'tied to the head' : 'apart from the head'}`;
}

function ropeOf(rope: RopeFacts | undefined): string {
  if (rope === undefined) return '';
  const { theta, scaling } = rope;
  const parts = [
    theta === undefined ? '' : `theta ${count(theta)}`,
    scaling === undefined ? '' : `${scaling.type} scaling`,
    scaling?.factor === undefined ? '' : `factor ${scaling.factor}`,
    scaling?.originalContext === undefined ? '' : `original context ${count(scaling.originalContext)}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function adapterFacts({ type, baseModel = '', rank, alpha, targetModules, modules, parameters }: AdapterFacts): Row[] {
  return [
    ['Adapter', `${type}, rank ${rank ?? 'not said'}, alpha ${alpha ?? 'not said'}`],
    ['Base model', baseModel],
    ['Targets', targetModules.join(', ')],
    ['Adapts', `${count(modules)} modules, ${count(parameters)} parameters`],
  ];
}

function tensorSection(inspection: Inspection): string[] {
  const rows = summarizeByDtype(inspection.tensors).map(({ dtype, tensors, elements, byteLength }) => [
    dtype,
    count(tensors),
    count(elements),
    readableBytes(byteLength),
  ]);
  const unused = inspection.kind === 'model' ? inspection.unusedTensors : [];
  return [
    ...table([['Tensors', 'count', 'elements', 'size'], ...rows], { right: [1, 2, 3] }).map((line) => line.slice(2)),
    ...(unused.length > 0
      ? [`Not used: ${unused.slice(0, 3).join(', ')}${unused.length > 3 ? ` and ${unused.length - 3} more` : ''}`]
      : []),
  ];
}

function listTensors({ tensors }: Inspection): string[] {
  return table(
    tensors.map(({ name, dtype, shape, byteLength }) => [
      name,
      dtype,
      `[${shape.join(', ')}]`,
      readableBytes(byteLength),
    ]),
    { right: [3] },
  );
}

function memorySection(memory: ModelMemory, available: number): string[] {
  const { estimate, backends } = memory;
  const rows = backends.map(({ backend, mainMemory, deviceMemory, problem }) => [
    backend,
    readableBytes(mainMemory),
    deviceMemory === 0 ? '-' : readableBytes(deviceMemory),
    problem ?? (mainMemory > available ? 'does not fit now' : 'fits'),
  ]);
  const heads = ['Memory', 'main memory', 'device memory', `${readableBytes(available)} free`];
  return [
    ...table([heads, ...rows], { right: [1, 2] }).map((line) => line.slice(2)),
    `Weights become float32: ${readableBytes(estimate.weights)}, and ${readableBytes(estimate.embeddingTable)} for the table of embeddings.`,
    `Each token of context takes ${readableBytes(estimate.cachePerToken)} more (keys and values).`,
    `Training a weaver on ${memory.trainingRows} rows of ${memory.trainingTokens} tokens takes ${readableBytes(memory.trainingTotal)} more` +
      `, or ${readableBytes(memory.trainingTotalKept)} without recomputing layers.`,
  ];
}

function verdict({ kind, problems }: Inspection): string[] {
  if (problems.length > 0) {
    const indented = problems.map(({ part, message }) => `  ${part}: ${message.replaceAll('\n', '\n  ')}`);
    return ['What this version cannot do with it:', ...indented];
  }
  switch (kind) {
    case 'model':
      return ['This model can be run and trained on.'];
    case 'adapter':
    case 'checkpoint':
      return ['It can be loaded with its base model.'];
    case 'tensors':
      return ['The file is sound.'];
  }
}

function count(number: number | undefined): string {
  return number === undefined ? '' : number.toLocaleString('en');
}

function withMore(value: string, more: number | undefined, label: string, unit = ''): string {
  if (value === '') return '';
  return `${value}${unit}${more === undefined ? '' : ` (${label}${count(more)})`}`;
}
