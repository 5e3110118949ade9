// Public surface of @memgen/tiny-reasoner.
export { evaluationRows } from './world/evaluation-rows.js';
export { givenText, isHeldOut } from './world/held-out.js';
export { memoryMixRows, type MemoryMixOptions, type MixRow } from './world/memory-mix.js';
export { createPretrainingRows, drawRow, firstMix, mainMix, type Mix } from './world/pretraining-rows.js';
export { writePriceList, writePrices, type PricedItem } from './world/price-list.js';
export {
  families,
  otherFamilies,
  priceFamilies,
  type Family,
  type OtherFamily,
  type PriceFamily,
  type WorldRow,
} from './world/row.js';
export { boxedAnswer, exactMatch } from './world/scoring.js';
export {
  createShop,
  shopTestFamilies,
  type ItemMultiple,
  type ItemPair,
  type Shop,
  type ShopTestFamily,
} from './world/shop.js';
export { ShopSearchEnvironment } from './world/shop-search-environment.js';
export { shopSearchTasks, solvedSearch, type ShopSearchTask } from './world/shop-search.js';
export {
  shopFamilies,
  shopQuestionRows,
  type RowSplit,
  type ShopFamily,
  type ShopRowsOptions,
} from './world/shop-questions.js';
export { itemNames, orderFactors, payments, personNames, priceRange } from './world/words.js';
export { buildTokenizer } from './tokenizer/build-tokenizer.js';
export { renderRow } from './tokenizer/render.js';
export { chatTemplate, specialTokens } from './tokenizer/tokenizer-files.js';
export { architecture, recipe } from './pretraining/recipe.js';
export { modelFolder } from './model-folder.js';
