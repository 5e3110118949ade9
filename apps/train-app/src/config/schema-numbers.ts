// Kinds of numbers that settings are made of.
import { z } from 'zod';

/** A whole number from 1 on. */
export const count = z.int().min(1);
/** A whole number from 0 on. */
export const countOrNone = z.int().min(0);
/** A share. */
export const rate = z.number().min(0).max(1);
/** Of a running average: below 1, where it would never move. */
export const decay = z.number().min(0).lt(1);
export const positive = z.number().positive();
export const text = z.string().min(1);
