// Which modules an adapter configuration means, and how strongly each is scaled; the rules of the PEFT library.
import type { PeftLoraConfig } from './adapter-config.js';
import { matchPattern } from './safe-pattern.js';

/**
 * The module paths (e.g. `model.layers.0.self_attn.q_proj`) that an adapter adapts, in their order.
 *
 * @param linearModules - paths of all linear modules of the base model.
 * @throws MemGenError `peft-pattern`.
 */
export function findTargetModules(
  config: Pick<PeftLoraConfig, 'targetModules' | 'excludeModules' | 'layersToTransform' | 'layersPattern'>,
  linearModules: readonly string[],
): string[] {
  const { targetModules: targets, excludeModules } = config;
  const excluded = excludeModules === null ? [] : matchNames(excludeModules, linearModules);
  if (targets === 'all-linear') return linearModules.filter((path, i) => path !== 'lm_head' && !excluded[i]);
  const matched = matchNames(targets, linearModules);
  return linearModules.filter((path, i) => {
    if (!matched[i] || excluded[i]) return false;
    const isNamedInFull = typeof targets !== 'string' && targets.includes(path);
    return isNamedInFull || config.layersToTransform === null || isInLayers(path, config);
  });
}

/** Rank of the adapter of one module. */
export function loraRank({ r, rankPattern }: Pick<PeftLoraConfig, 'r' | 'rankPattern'>, modulePath: string): number {
  return findPattern(rankPattern, modulePath) ?? r;
}

/** Factor of B A x in the output of one module: alpha / rank, or alpha / sqrt(rank) with rsLoRA (arXiv 2312.03732). */
export function loraScaling(
  config: Pick<PeftLoraConfig, 'r' | 'loraAlpha' | 'rankPattern' | 'alphaPattern' | 'useRslora'>,
  modulePath: string,
): number {
  const rank = loraRank(config, modulePath);
  const alpha = findPattern(config.alphaPattern, modulePath) ?? config.loraAlpha;
  return alpha / (config.useRslora ? Math.sqrt(rank) : rank);
}

function findPattern(patterns: Readonly<Record<string, number>>, modulePath: string): number | undefined {
  return Object.entries(patterns).find(([pattern]) => matchPattern(pattern, [modulePath], false)[0])?.[1];
}

function matchNames(names: readonly string[] | string, paths: readonly string[]): boolean[] {
  if (typeof names === 'string') return matchPattern(names, paths, true);
  return paths.map((path) => names.some((name) => path === name || path.endsWith(`.${name}`)));
}

function isInLayers(
  path: string,
  { layersToTransform, layersPattern }: Pick<PeftLoraConfig, 'layersToTransform' | 'layersPattern'>,
): boolean {
  const lists = layersPattern.length > 0 ? layersPattern : ['[^.]*'];
  const found = lists.map((list) => new RegExp(`.*\\.${list}\\.(\\d+)\\.`).exec(path)?.[1]);
  const layer = found.find((index) => index !== undefined);
  return layer !== undefined && (layersToTransform?.includes(Number(layer)) ?? true);
}
