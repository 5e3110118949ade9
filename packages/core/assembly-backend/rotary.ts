// Rotation of positions, forwards and backwards.

/**
 * Turns the halves (a, b) of each of `tokens` vectors into (a cos - b sin, b cos + a sin).
 * @param cos - `[tokens, size]`, as is `sin`: both halves of a vector have factors of their own.
 * @param back - the transposed map instead: the gradient.
 */
export function rotate(x: usize, y: usize, cos: usize, sin: usize, tokens: i32, size: i32, back: bool): void {
  const half = (<usize>(size >> 1)) << 2;
  const vectorBytes = half & ~15;
  const sign: f32 = back ? -1 : 1;
  const signs = f32x4.splat(sign);
  for (let token = 0; token < tokens; token++) {
    const sinOfB = back ? sin + half : sin;
    const sinOfA = back ? sin : sin + half;
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const a = v128.load(x + i);
      const b = v128.load(x + half + i);
      const lower = f32x4.mul(f32x4.mul(b, v128.load(sinOfB + i)), signs);
      const upper = f32x4.mul(f32x4.mul(a, v128.load(sinOfA + i)), signs);
      v128.store(y + i, f32x4.sub(f32x4.mul(a, v128.load(cos + i)), lower));
      v128.store(y + half + i, f32x4.add(f32x4.mul(b, v128.load(cos + half + i)), upper));
    }
    for (; i < half; i += 4) {
      const a = load<f32>(x + i);
      const b = load<f32>(x + half + i);
      store<f32>(y + i, a * load<f32>(cos + i) - sign * b * load<f32>(sinOfB + i));
      store<f32>(y + half + i, b * load<f32>(cos + half + i) + sign * a * load<f32>(sinOfA + i));
    }
    x += half << 1;
    y += half << 1;
    cos += half << 1;
    sin += half << 1;
  }
}
