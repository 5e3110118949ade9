// Cosines and sines of positions, in WebAssembly memory.
import { rotaryAngle } from '../model/attention-columns.js';
import { rowFrequencies, type RotarySettings } from '../model/rotary-frequencies.js';
import { GrowingBlock, type Arena } from './arena.js';

const leastPositions = 256;

/** For each position the cosines, then the sines, of all pairs of channels of a head. */
export class RotaryTable {
  private readonly block: GrowingBlock;
  private positions = 0;
  /** Room for one position of a row whose length changes the frequencies. */
  private readonly single: number;

  constructor(
    private readonly arena: Arena,
    private readonly settings: RotarySettings,
  ) {
    this.block = new GrowingBlock(arena);
    this.single = settings.dynamic === undefined ? 0 : arena.allocate(this.positionBytes);
  }

  /** Makes sure that positions below `count` are there. */
  reserve(count: number): void {
    const wanted = Math.min(count, this.settings.dynamic?.maxPositions ?? count);
    if (wanted <= this.positions) return;
    const positions = Math.max(leastPositions, 2 ** Math.ceil(Math.log2(wanted)));
    const { inverseFrequencies } = this.settings;
    this.block.reserve(positions * this.positionBytes);
    for (let position = 0; position < positions; position++) {
      this.write(this.block.address + position * this.positionBytes, position, inverseFrequencies);
    }
    this.positions = positions;
  }

  /**
   * Address of the factors of a position, which hold until the next call.
   * @param length - that of its row when it is read.
   */
  address(position: number, length: number): number {
    const frequencies = rowFrequencies(this.settings, length);
    if (frequencies === this.settings.inverseFrequencies) return this.block.address + position * this.positionBytes;
    this.write(this.single, position, frequencies);
    return this.single;
  }

  private get positionBytes(): number {
    return this.settings.inverseFrequencies.length * 8;
  }

  private write(address: number, position: number, inverseFrequencies: readonly number[]): void {
    const half = inverseFrequencies.length;
    const factors = this.arena.floats(address, 2 * half);
    for (let i = 0; i < half; i++) {
      const angle = rotaryAngle(position, inverseFrequencies[i]!);
      factors[i] = Math.cos(angle) * this.settings.attentionScaling;
      factors[half + i] = Math.sin(angle) * this.settings.attentionScaling;
    }
  }
}
