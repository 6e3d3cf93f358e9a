/**
 * The component `mine`, for the world `every`.
 *
 * Everything, for one component.
 *
 * What it may call is imported by its name: `test:every/shared@1.2.0`, `log`.
 *
 * 64-bit integers are BigInts, records are objects with names in camelCase, variants are `{ tag,
 * val }`, enums are strings, flags are objects of booleans, lists are arrays (`list<u8>` a
 * Uint8Array) and what is missing is undefined. An error result is thrown, and has to be the bare
 * value: anything derived from `Error` is a trap, as in each stub until it is written.
 */

/**
 * `test:every/values@1.2.0`
 *
 * Every kind of value. A line of this description is much longer than a hundred columns, so that
 * it has to be wrapped somewhere, and wrapped once more.
 */
export const values = {
  /**
   * Numbers of every width.
   *
   * - First point of a list which is long enough that it must be wrapped as well, with its second
   *   line indented.
   * - Second point.
   *
   * `numbers: func(a: u8, b: s8, c: u16, d: s16, e: u32, f: s32, g: u64, h: s64, i: f32, j: f64,
   * k: bool, l: char) -> u64`
   */
  numbers(a, b, c, d, e, f, g, h, i, j, k, l) {
    throw new Error("test:every/values@1.2.0: numbers is not written yet");
  },

  /**
   * `texts: func(s: string, many: names, pair: pair) -> option<string>`
   */
  texts(s, many, pair) {
    throw new Error("test:every/values@1.2.0: texts is not written yet");
  },

  /**
   * `list: func(rights: rights, colour: colour) -> list<colour>`
   */
  list(rights, colour) {
    throw new Error("test:every/values@1.2.0: list is not written yet");
  },

  /**
   * `shapes: func(p: point, s: shape, o: option<shape>, l: list<tuple<point, option<u32>>>) ->
   * result<shape, colour>`
   */
  shapes(p, s, o, l) {
    throw new Error("test:every/values@1.2.0: shapes is not written yet");
  },

  /**
   * `nothing: func()`
   */
  nothing() {
    throw new Error("test:every/values@1.2.0: nothing is not written yet");
  },

  /**
   * `bare: func() -> result`
   */
  bare() {
    throw new Error("test:every/values@1.2.0: bare is not written yet");
  },

  /**
   * `only-error: func() -> result<_, string>`
   */
  onlyError() {
    throw new Error("test:every/values@1.2.0: only-error is not written yet");
  },

  /**
   * `only-ok: func(r: result<u32>) -> result<u32>`
   */
  onlyOk(r) {
    throw new Error("test:every/values@1.2.0: only-ok is not written yet");
  },

  /**
   * `nested: func(x: option<option<u32>>, type: list<list<u8>>) -> tuple<u32, string>`
   */
  nested(x, type) {
    throw new Error("test:every/values@1.2.0: nested is not written yet");
  },
};

/**
 * `test:every/resources@1.2.0`
 *
 * Resources.
 */
export const resources = {
  /**
   * `document`
   *
   * A document.
   */
  Document: class {
    /**
     * A new document with this title.
     *
     * `constructor(title: string)`
     */
    constructor(title) {
      throw new Error("test:every/resources@1.2.0: document.constructor is not written yet");
    }

    /**
     * Its title.
     *
     * `title: func() -> string`
     */
    title() {
      throw new Error("test:every/resources@1.2.0: document.title is not written yet");
    }

    /**
     * Draws the document.
     *
     * `draw-on: func(where: borrow<canvas>) -> result<_, string>`
     */
    drawOn(where) {
      throw new Error("test:every/resources@1.2.0: document.draw-on is not written yet");
    }

    /**
     * Puts two together.
     *
     * `merge: static func(a: document, b: borrow<document>) -> document`
     */
    static merge(a, b) {
      throw new Error("test:every/resources@1.2.0: document.merge is not written yet");
    }
  },

  /**
   * `page`
   *
   * A page without a constructor.
   */
  Page: class {
    /**
     * Its number.
     *
     * `number: func() -> u32`
     */
    number() {
      throw new Error("test:every/resources@1.2.0: page.number is not written yet");
    }
  },

  /**
   * `fallible`
   *
   * May fail.
   */
  Fallible: class {
    /**
     * `constructor(n: u32)`
     */
    constructor(n) {
      throw new Error("test:every/resources@1.2.0: fallible.constructor is not written yet");
    }
  },

  /**
   * Opens a document.
   *
   * `open: func(name: string) -> result<document, string>`
   */
  open(name) {
    throw new Error("test:every/resources@1.2.0: open is not written yet");
  },

  /**
   * Pages of a document.
   *
   * `pages: func(of: borrow<document>) -> list<page>`
   */
  pages(of) {
    throw new Error("test:every/resources@1.2.0: pages is not written yet");
  },
};

/**
 * At the root.
 *
 * `mirror: func(p: point) -> point`
 */
export function mirror(p) {
  throw new Error("mirror is not written yet");
}
