// Finds and loads what a MemGen checkpoint consists of, and the models under it.
import { MemGenError } from '@memgen/common';
import { resolveCheckpoint, type ResolvedCheckpoint, type ResolveModelOptions } from '../hub/index.js';
import { loadReasoner } from '../reasoner/load-reasoner.js';
import type { Reasoner, ReasonerOrigin } from '../reasoner/reasoner.js';
import { openMemGen, type WeavingSettings } from './checkpoint.js';
import { readManifest, type ManifestModel, type PartName } from './manifest.js';
import { openOfficialCheckpoint, requireSameShape } from './official-checkpoint.js';
import { loadPart, type PartLoader } from './part-loader.js';
import type { Trigger } from './trigger.js';
import type { Weaver } from './weaver.js';

export interface LoadPretrainedOptions extends ResolveModelOptions {
  /** Reads the weaver, such as the class `LatentWeaver` of `@memgen/weaver`. Without it, no weaver is loaded. */
  weaver?: PartLoader<Weaver> | undefined;
  /** Reads the trigger, such as the class `LanguageModelTrigger` of `@memgen/trigger`. Without it, none is loaded. */
  trigger?: PartLoader<Trigger> | undefined;
  /** A loaded one stays the caller's; a name is loaded. @default the one that the checkpoint names */
  reasoner?: Reasoner | string | undefined;
  /** The model under the weaver. @default the one that the checkpoint names, else the reasoner */
  weaverBase?: Reasoner | string | undefined;
  /** The model under the trigger. @default as for the weaver */
  triggerBase?: Reasoner | string | undefined;
}

/** What was loaded. */
export interface LoadedMemGen {
  reasoner: Reasoner;
  weaver?: Weaver;
  trigger?: Trigger;
  bases: Partial<Record<PartName, ReasonerOrigin>>;
  generation: WeavingSettings;
  /** Whether the checkpoint wants its trigger to be asked. */
  triggerActive: boolean;
  /** Everything that was loaded here, last first. */
  owned: { dispose(): void }[];
}

/** What the two layouts say, in one form. */
interface Description {
  parts: readonly PartName[];
  /** As the checkpoint names them; undefined where it does not. */
  named: { reasoner: ManifestModel | string | undefined } & Partial<Record<PartName, ManifestModel>>;
  triggerActive: boolean;
  /** Refuses models that do not belong to the checkpoint. */
  check(reasoner: Reasoner, bases: Partial<Record<PartName, ReasonerOrigin>>): Promise<WeavingSettings>;
}

/**
 * @param source - what {@link resolveCheckpoint} finds.
 * @throws MemGenError `checkpoint-part` when none of the parts that can be read is there, `checkpoint-base` for models of
 *   another kind, `checkpoint-reasoner` when none is named; of finding and reading the files. Nothing stays loaded then.
 */
export async function loadPretrained(source: string, options: LoadPretrainedOptions): Promise<LoadedMemGen> {
  const found = await resolveCheckpoint(source, options);
  const description = await describe(found);
  const wanted = (['weaver', 'trigger'] as const).filter(
    (name) => options[name] !== undefined && description.parts.includes(name),
  );
  if (wanted.length === 0) throw nothingToLoad(found.path, description.parts, options);

  const owned: { dispose(): void }[] = [];
  // Parts on one model share its weights.
  const models = new Map<string, Reasoner>();
  const open = async (model: Reasoner | string | ManifestModel): Promise<Reasoner> => {
    if (typeof model === 'object' && 'decoder' in model) return model;
    const { source: name, revision } = typeof model === 'string' ? { source: model, revision: undefined } : model;
    const key = JSON.stringify([name, revision]);
    const known = models.get(key);
    if (known !== undefined) return known;
    const reasoner = await loadReasoner(name, { ...options, revision });
    models.set(key, reasoner);
    owned.unshift(reasoner.decoder);
    return reasoner;
  };
  try {
    const named = options.reasoner ?? description.named.reasoner;
    if (named === undefined) throw noReasoner(found.path);
    const reasoner = await open(named);
    const under: Partial<Record<PartName, Reasoner>> = {};
    for (const name of wanted) {
      const base = (name === 'weaver' ? options.weaverBase : options.triggerBase) ?? description.named[name];
      under[name] = base === undefined ? reasoner : await open(base);
    }
    const bases = Object.fromEntries(wanted.map((name) => [name, under[name]!.origin]));
    const generation = await description.check(reasoner, bases);
    const loaded: LoadedMemGen = { reasoner, bases, generation, triggerActive: description.triggerActive, owned };
    for (const name of wanted) {
      const place = { source: found, base: under[name]!.decoder };
      if (name === 'weaver') owned.unshift((loaded.weaver = await loadPart(name, options.weaver!, place)));
      else owned.unshift((loaded.trigger = await loadPart(name, options.trigger!, place)));
    }
    return loaded;
  } catch (error) {
    for (const part of owned) part.dispose();
    throw error;
  }
}

async function describe({ layout, path }: ResolvedCheckpoint): Promise<Description> {
  if (layout === 'own') {
    const { parts, reasoner, bases = {} } = await readManifest(path);
    return {
      parts,
      named: { reasoner, ...bases },
      triggerActive: true,
      check: async (loaded, origins) => (await openMemGen(path, loaded.origin, origins)).generation,
    };
  }
  const official = await openOfficialCheckpoint(path);
  return {
    parts: official.parts,
    named: { reasoner: official.baseName },
    triggerActive: official.triggerActive,
    check: (loaded) => {
      requireSameShape(official, loaded, path);
      return Promise.resolve({ maxInferencePoints: official.maxInferencePoints });
    },
  };
}

function nothingToLoad(where: string, parts: readonly PartName[], options: LoadPretrainedOptions): MemGenError {
  const wanted = (['weaver', 'trigger'] as const).filter((name) => options[name] !== undefined);
  return new MemGenError({
    code: 'checkpoint-part',
    where,
    message: 'the checkpoint has none of the parts that can be read',
    got: parts.join(', ') || 'no part',
    expected: wanted.join(' or ') || 'the option weaver or trigger, which says how to read them',
  });
}

function noReasoner(where: string): MemGenError {
  return new MemGenError({
    code: 'checkpoint-reasoner',
    where,
    message: 'the checkpoint does not say which model it was trained for',
    hint: 'give the option reasoner',
  });
}
