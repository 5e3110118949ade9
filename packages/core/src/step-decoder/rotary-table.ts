// Cosines and sines of positions, in WebAssembly memory.
import { rotaryAngle } from '../model/attention-columns.js';
import type { RotarySettings } from '../model/rotary-frequencies.js';
import { GrowingBlock, type Arena } from './arena.js';

const leastPositions = 256;

/** For each position the cosines, then the sines, of all pairs of channels of a head. */
export class RotaryTable {
  private readonly block: GrowingBlock;
  private positions = 0;

  constructor(
    private readonly arena: Arena,
    private readonly settings: RotarySettings,
  ) {
    this.block = new GrowingBlock(arena);
  }

  /** Makes sure that positions below `count` are there. */
  reserve(count: number): void {
    if (count <= this.positions) return;
    const positions = Math.max(leastPositions, 2 ** Math.ceil(Math.log2(count)));
    const { inverseFrequencies, attentionScaling } = this.settings;
    const half = inverseFrequencies.length;
    this.block.reserve(positions * half * 8);
    const table = this.arena.floats(this.block.address, positions * half * 2);
    let place = 0;
    for (let position = 0; position < positions; position++) {
      for (let i = 0; i < half; i++) {
        const angle = rotaryAngle(position, inverseFrequencies[i]!);
        table[place + i] = Math.cos(angle) * attentionScaling;
        table[place + half + i] = Math.sin(angle) * attentionScaling;
      }
      place += 2 * half;
    }
    this.positions = positions;
  }

  /** Address of the factors of a position. */
  address(position: number): number {
    return this.block.address + position * this.settings.inverseFrequencies.length * 8;
  }
}
