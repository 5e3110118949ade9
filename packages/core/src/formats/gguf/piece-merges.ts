// The merges that make a byte pair encoding of SentencePiece's scored pieces.
import { tokenizerError } from './gguf-vocabulary.js';

export interface ScoredPiece {
  piece: string;
  id: number;
  /** The higher, the earlier its parts are joined. */
  score: number;
}

/** Real pieces have at most a few dozen characters; the work grows with the square. */
const longestPiece = 256;

/**
 * Every way to put a piece together from two others, in the order of `generate_merges` of transformers: by falling score
 * of the whole; where that is equal, longer left parts and then longer right parts first, then by the order of the pieces
 * and the ids of the parts. Lengths count characters, not UTF-16 code units.
 * @throws MemGenError `gguf-tokenizer` for a piece of more than 256 characters.
 */
export function mergesOfPieces(pieces: readonly ScoredPiece[], path: string): [string, string][] {
  const ids = new Map(pieces.map(({ piece, id }) => [piece, id]));
  const merges = pieces.flatMap(({ piece, score }) => {
    const characters = Array.from(piece);
    if (characters.length > longestPiece) {
      const got = `${characters.length} characters`;
      throw tokenizerError(path, 'a piece is longer than any real one', got, `at most ${longestPiece}`);
    }
    const own: Merge[] = [];
    let cut = 0;
    characters.slice(0, -1).forEach((character, i) => {
      cut += character.length;
      const [left, right] = [piece.slice(0, cut), piece.slice(cut)];
      const [leftId, rightId] = [ids.get(left), ids.get(right)];
      if (leftId === undefined || rightId === undefined) return;
      own.push({ left, right, leftId, rightId, score, lengths: [i + 1, characters.length - i - 1] });
    });
    return own.sort((a, b) => a.leftId - b.leftId || a.rightId - b.rightId);
  });
  const byRank = (a: Merge, b: Merge): number =>
    compare(b.score, a.score) || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1];
  return merges.sort(byRank).map(({ left, right }) => [left, right]);
}

interface Merge {
  left: string;
  right: string;
  leftId: number;
  rightId: number;
  score: number;
  lengths: [left: number, right: number];
}

/** Also of infinite numbers. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
