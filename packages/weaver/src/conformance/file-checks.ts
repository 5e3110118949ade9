// Checks of a weaver's files, and of whether it knows that it was trained.
import type { Weaver } from '@memgen/core';
import {
  conformanceCheck,
  moveParameters,
  requireClose,
  requireThat,
  withTemporaryFolder,
  type ConformanceCheck,
} from '@memgen/core/test';
import type { WeaverConformanceOptions } from './conformance-options.js';
import { kinds, randomRow, weaveAlone, withWeaver } from './weaver-probe.js';

export function fileChecks(options: WeaverConformanceOptions): ConformanceCheck[] {
  const { load, reasonerHidden: hidden } = options;

  /** Runs a body with a weaver and what comes back from its files. */
  const withCopy = (weaver: Weaver, body: (copy: Weaver) => void | Promise<void>) =>
    withTemporaryFolder(async (folder) => {
      await weaver.save(folder);
      await withWeaver({ create: () => load(folder) }, body);
    });

  return [
    conformanceCheck('comes back from its files to the bit', () =>
      withWeaver(options, (weaver) => {
        moveParameters(weaver.parameters());
        return withCopy(weaver, (copy) => {
          const [saved, loaded] = [weaver.parameters(), copy.parameters()];
          requireThat([...saved.keys()].sort().join() === [...loaded.keys()].sort().join(), {
            message: 'other parameters come back than were saved',
            got: [...loaded.keys()].sort().join(', '),
            expected: [...saved.keys()].sort().join(', '),
          });
          for (const [name, variable] of saved) {
            const message = `the parameter ${name} comes back changed`;
            requireClose(loaded.get(name)!.dataSync(), variable.dataSync(), 0, { message });
          }
          const row = [randomRow(4, hidden, 1)];
          for (const kind of kinds) {
            const message = 'a weaver that comes back from its files weaves other latents';
            requireClose(weaveAlone(copy, kind, row, hidden)[0]!, weaveAlone(weaver, kind, row, hidden)[0]!, 0, {
              message,
            });
          }
        });
      }),
    ),

    conformanceCheck('knows whether it was trained, if it can tell, also from its files', () =>
      withWeaver(options, async (weaver) => {
        const requireKept = (message: string) =>
          withCopy(weaver, async (copy) => {
            requireThat((await copy.isTrained?.()) === (await weaver.isTrained?.()), { message });
          });
        await requireKept('isTrained() changes its answer when the weaver is saved and loaded');
        if (weaver.isTrained === undefined || weaver.parameters().size === 0) return;
        moveParameters(weaver.parameters());
        requireThat(await weaver.isTrained(), { message: 'isTrained() is false though every parameter has changed' });
        await requireKept('isTrained() changes its answer when the trained weaver is saved and loaded');
      }),
    ),
  ];
}
