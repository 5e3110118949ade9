// A small trace for tests of the page.
import type { TracedPoint } from '../generation/index.js';
import type { TracePageData } from './page-data.js';

const nearest = [' seven', '\n', '9', '<|im_end|>', ''].map((text, i) => ({ id: i, text, similarity: 0.5 - i / 8 }));

function point(more: Partial<TracedPoint>): TracedPoint {
  return {
    row: 0,
    position: 0,
    kind: 'prompt',
    text: 'How much?',
    woven: true,
    latents: [2.5, 3.25].map((norm) => ({ norm, nearest })),
    weaveProbability: 0.75,
    milliseconds: { trigger: 1.25, weaver: 12, reasoner: 3.5 },
    ...more,
  };
}

/** Three points, of which the second was refused; the answers part at the fourth token. */
export function sampleTrace(more: Partial<TracePageData> = {}): TracePageData {
  return {
    prompt: 'How much is a bowl?',
    woven: {
      pieces: ['A', ' bowl', ' costs', ' 7', '.', ' Yes', '.'],
      points: [
        point({}),
        point({
          position: 5,
          kind: 'inference',
          text: 'A bowl costs 7.',
          woven: false,
          latents: [],
          weaveProbability: 0.004,
        }),
        point({ position: 7, kind: 'inference', text: 'A bowl costs 7. Yes.' }),
      ],
      milliseconds: { trigger: 4, weaver: 25, reasoner: 1500 },
    },
    plain: { pieces: ['A', ' bowl', ' costs', ' 12', '.'], milliseconds: { trigger: 0, weaver: 0, reasoner: 900 } },
    embeddingNorm: 2,
    facts: [{ label: 'Reasoner', value: 'someone/model' }],
    ...more,
  };
}

/** What would do something if it were not escaped. */
export const hostileText = `</p><script>document.title = 'broken'</script><img src="x" onerror="document.title='broken'">'"&<b>\u0000`;

/** The same text at every place where a model, a file or a person can put one. */
export function hostileTrace(): TracePageData {
  const tokens = [{ id: 1, text: hostileText, similarity: 0.5 }];
  const { woven } = sampleTrace();
  return sampleTrace({
    prompt: hostileText,
    remark: hostileText,
    woven: {
      ...woven,
      pieces: woven.pieces.map(() => hostileText),
      points: woven.points.map((each) => ({ ...each, text: hostileText, latents: [{ norm: 1, nearest: tokens }] })),
    },
    plain: { pieces: ['x', hostileText], milliseconds: { trigger: 0, weaver: 0, reasoner: 0 } },
    facts: [{ label: hostileText, value: hostileText }],
  });
}
