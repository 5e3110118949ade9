// Keys and values of rows in pages, so that rows grow without copies and share what they have in common.
import { MemGenError } from '@memgen/common';
import type { Arena } from './arena.js';
import { pageColumns } from './kernels.js';

/** What a step decoder remembers of the columns that each row has read. */
export interface StepCache {
  /** Columns read by each row. */
  readonly lengths: readonly number[];
  /**
   * Goes on with these rows only, in this order. A row may be repeated: a prompt shared by several samples.
   * @throws MemGenError `step-decoder-cache` for a row that is not there, `step-decoder-memory`.
   */
  select(rows: readonly number[]): void;
  /** Frees the memory; the cache cannot be used any more. */
  dispose(): void;
}

interface Row {
  length: number;
  /** Addresses; there may be more than the length needs. Full pages are never written again and can be shared. */
  pages: number[];
}

/** Pages of one size, counted by their users. */
export class PagePool {
  private readonly users = new Map<number, number>();

  constructor(
    private readonly arena: Arena,
    /** A whole number of floats. */
    private readonly pageBytes: number,
  ) {}

  take(): number {
    const page = this.arena.allocate(this.pageBytes);
    this.users.set(page, 1);
    return page;
  }

  takeCopy(of: number): number {
    const page = this.take();
    const floats = this.pageBytes / 4;
    this.arena.floats(page, floats).set(this.arena.floats(of, floats));
    return page;
  }

  share(page: number): void {
    this.users.set(page, this.users.get(page)! + 1);
  }

  giveBack(page: number): void {
    const users = this.users.get(page)! - 1;
    if (users > 0) {
      this.users.set(page, users);
      return;
    }
    this.users.delete(page);
    this.arena.release(page);
  }
}

/** The {@link StepCache} of a decoder: each row a list of pages of {@link pageColumns} columns (vLLM, Kwon et al. 2023). */
export class PagedCache implements StepCache {
  private rowsOrNone: Row[] | undefined;

  constructor(
    /** Tells caches of different decoders apart. */
    readonly pool: PagePool,
    rows: number,
  ) {
    this.rowsOrNone = Array.from({ length: rows }, () => ({ length: 0, pages: [] }));
  }

  get lengths(): readonly number[] {
    return this.rows.map(({ length }) => length);
  }

  /** Pages of a row in order. */
  pages(row: number): readonly number[] {
    return this.rows[row]!.pages;
  }

  /** Makes room for `counts[row]` more columns. When the memory is exhausted, all stays as it was. */
  reserve(counts: readonly number[]): void {
    const missing = this.rows.map(
      ({ length, pages }, b) => Math.ceil((length + counts[b]!) / pageColumns) - pages.length,
    );
    const total = missing.reduce((sum, count) => sum + Math.max(count, 0), 0);
    const taken = this.takeAll(total, () => this.pool.take());
    this.rows.forEach(({ pages }, b) => {
      if (missing[b]! > 0) pages.push(...taken.splice(0, missing[b]!));
    });
  }

  /** Counts columns that have been written. */
  advance(counts: readonly number[]): void {
    this.rows.forEach((row, b) => {
      row.length += counts[b]!;
    });
  }

  select(rows: readonly number[]): void {
    const old = this.rows;
    const bad = rows.find((row) => old[row] === undefined);
    if (bad !== undefined) {
      throw new MemGenError({
        code: 'step-decoder-cache',
        message: 'the cache has no such row',
        got: String(bad),
        expected: `0 to ${old.length - 1}`,
      });
    }
    // A repeated row needs a last page of its own where that one is yet to be filled; the first use keeps the old one.
    const repeated = rows.map((row, b) => rows.indexOf(row) < b);
    const partial = rows.map((row) => old[row]!.length % pageColumns > 0);
    const toCopy = rows.flatMap((row, b) => (repeated[b]! && partial[b]! ? [old[row]!] : []));
    const copies = this.takeAll(toCopy.length, (i) =>
      this.pool.takeCopy(toCopy[i]!.pages[Math.floor(toCopy[i]!.length / pageColumns)]!),
    );
    this.rowsOrNone = rows.map((row, b): Row => {
      const { length, pages } = old[row]!;
      if (!repeated[b]!) return old[row]!;
      const full = pages.slice(0, Math.floor(length / pageColumns));
      for (const page of full) this.pool.share(page);
      return { length, pages: partial[b]! ? [...full, copies.shift()!] : full };
    });
    old.forEach((row, b) => {
      if (!rows.includes(b)) this.free(row);
    });
  }

  dispose(): void {
    for (const row of this.rowsOrNone ?? []) this.free(row);
    this.rowsOrNone = undefined;
  }

  private get rows(): Row[] {
    if (this.rowsOrNone !== undefined) return this.rowsOrNone;
    throw new MemGenError({
      code: 'step-decoder-disposed',
      message: 'the cache of the step decoder has been disposed',
    });
  }

  private free({ pages }: Row): void {
    for (const page of pages) this.pool.giveBack(page);
  }

  /** Takes all pages or none. */
  private takeAll(count: number, take: (index: number) => number): number[] {
    const taken: number[] = [];
    try {
      for (let i = 0; i < count; i++) taken.push(take(i));
    } catch (error) {
      for (const page of taken) this.pool.giveBack(page);
      throw error;
    }
    return taken;
  }
}
