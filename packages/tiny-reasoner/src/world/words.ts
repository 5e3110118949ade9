// The words of the tiny world: things that have a price, people, days, and the sums of money they pay with.

/** Things a shop can sell. All take the article "a"; a private shop picks its goods from this list. */
export const itemNames = [
  'ball', 'basket', 'bell', 'boot', 'bottle', 'bowl', 'brush', 'bucket', 'candle', 'chair',
  'clock', 'coat', 'cup', 'desk', 'drum', 'flute', 'fork', 'glove', 'hammer', 'hat',
  'jar', 'kettle', 'kite', 'ladder', 'lamp', 'mirror', 'pan', 'pencil', 'pillow', 'plate',
  'puzzle', 'ring', 'rope', 'ruler', 'scarf', 'spoon', 'stool', 'tray', 'vase', 'wallet',
] as const; // prettier-ignore

/** People who ask and buy. */
export const personNames = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gus', 'Ivy', 'Kai', 'Mia'] as const;

/** The week, Monday first. */
export const dayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;

/** Lowest and highest price of any thing, in coins. */
export const priceRange = { lowest: 2, highest: 12 } as const;

/** How many of one thing a person may order. */
export const orderFactors = [2, 3, 4] as const;

/** What a person may pay with, in coins. */
export const payments = [20, 50, 90] as const;
