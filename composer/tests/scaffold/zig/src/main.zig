//! The component `mine`, for the world `every`.
//!
//! Everything, for one component.
//!
//! The header that wit-bindgen writes for C, translated by `zig translate-c`, is the module `bindings`.
//! What arrives belongs to this side and is freed here. What is returned belongs to the caller and is
//! freed by the bindings: it has to come from C's allocator. Each stub traps until it is written.

const std = @import("std");
const bindings = @import("bindings");

/// A panic is a trap. The standard library's own handler would write to standard error, and bring WASI
/// imports along that no contract mentions.
pub const panic = std.debug.no_panic;

// `test:every/values@1.2.0`
//
// Every kind of value. A line of this description is much longer than a hundred columns, so that it
// has to be wrapped somewhere, and wrapped once more.

/// Numbers of every width.
///
/// - First point of a list which is long enough that it must be wrapped as well, with its second
///   line indented.
/// - Second point.
///
/// `numbers: func(a: u8, b: s8, c: u16, d: s16, e: u32, f: s32, g: u64, h: s64, i: f32, j: f64, k:
/// bool, l: char) -> u64`
export fn exports_test_every_values_numbers(
    a: u8,
    b: i8,
    c: u16,
    d: i16,
    e: u32,
    f: i32,
    g: u64,
    h: i64,
    i: f32,
    j: f64,
    k: bool,
    l: u32,
) u64 {
    _ = a;
    _ = b;
    _ = c;
    _ = d;
    _ = e;
    _ = f;
    _ = g;
    _ = h;
    _ = i;
    _ = j;
    _ = k;
    _ = l;
    @panic("test:every/values@1.2.0: numbers is not written yet");
}

/// `texts: func(s: string, many: names, pair: pair) -> option<string>`
export fn exports_test_every_values_texts(
    s: *bindings.every_string_t,
    many: *bindings.exports_test_every_values_names_t,
    pair: *bindings.exports_test_every_values_pair_t,
    ret: *bindings.every_string_t,
) bool {
    _ = s;
    _ = many;
    _ = pair;
    _ = ret;
    @panic("test:every/values@1.2.0: texts is not written yet");
}

/// `list: func(rights: rights, colour: colour) -> list<colour>`
export fn exports_test_every_values_list(
    rights: bindings.exports_test_every_values_rights_t,
    colour: bindings.exports_test_every_values_colour_t,
    ret: *bindings.exports_test_every_values_list_colour_t,
) void {
    _ = rights;
    _ = colour;
    _ = ret;
    @panic("test:every/values@1.2.0: list is not written yet");
}

/// `shapes: func(p: point, s: shape, o: option<shape>, l: list<tuple<point, option<u32>>>) ->
/// result<shape, colour>`
export fn exports_test_every_values_shapes(
    p: *bindings.exports_test_every_values_point_t,
    s: *bindings.exports_test_every_values_shape_t,
    maybe_o: ?*bindings.exports_test_every_values_shape_t,
    l: *bindings.exports_test_every_values_list_tuple2_point_option_u32_t,
    ret: *bindings.exports_test_every_values_shape_t,
    err: *bindings.exports_test_every_values_colour_t,
) bool {
    _ = p;
    _ = s;
    _ = maybe_o;
    _ = l;
    _ = ret;
    _ = err;
    @panic("test:every/values@1.2.0: shapes is not written yet");
}

/// `nothing: func()`
export fn exports_test_every_values_nothing() void {
    @panic("test:every/values@1.2.0: nothing is not written yet");
}

/// `bare: func() -> result`
export fn exports_test_every_values_bare() bool {
    @panic("test:every/values@1.2.0: bare is not written yet");
}

/// `only-error: func() -> result<_, string>`
export fn exports_test_every_values_only_error(err: *bindings.every_string_t) bool {
    _ = err;
    @panic("test:every/values@1.2.0: only-error is not written yet");
}

/// `only-ok: func(r: result<u32>) -> result<u32>`
export fn exports_test_every_values_only_ok(
    r: *bindings.exports_test_every_values_result_u32_void_t,
    ret: *u32,
) bool {
    _ = r;
    _ = ret;
    @panic("test:every/values@1.2.0: only-ok is not written yet");
}

/// `nested: func(x: option<option<u32>>, type: list<list<u8>>) -> tuple<u32, string>`
export fn exports_test_every_values_nested(
    maybe_x: ?*bindings.every_option_u32_t,
    type_: *bindings.every_list_list_u8_t,
    ret: *bindings.every_tuple2_u32_string_t,
) void {
    _ = maybe_x;
    _ = type_;
    _ = ret;
    @panic("test:every/values@1.2.0: nested is not written yet");
}

// `test:every/resources@1.2.0`
//
// Resources.

// `document`
//
// A document.
//
// A handle carries a pointer of your own: its type is opaque to the bindings.

/// Called when the last handle of a `document` is dropped.
export fn exports_test_every_resources_document_destructor(
    rep: *bindings.exports_test_every_resources_document_t,
) void {
    _ = rep;
    @panic("the end of document is not written yet");
}

// `page`
//
// A page without a constructor.
//
// A handle carries a pointer of your own: its type is opaque to the bindings.

/// Called when the last handle of a `page` is dropped.
export fn exports_test_every_resources_page_destructor(
    rep: *bindings.exports_test_every_resources_page_t,
) void {
    _ = rep;
    @panic("the end of page is not written yet");
}

// `fallible`
//
// May fail.
//
// A handle carries a pointer of your own: its type is opaque to the bindings.

/// Called when the last handle of a `fallible` is dropped.
export fn exports_test_every_resources_fallible_destructor(
    rep: *bindings.exports_test_every_resources_fallible_t,
) void {
    _ = rep;
    @panic("the end of fallible is not written yet");
}

/// Opens a document.
///
/// `open: func(name: string) -> result<document, string>`
export fn exports_test_every_resources_open(
    name: *bindings.every_string_t,
    ret: *bindings.exports_test_every_resources_own_document_t,
    err: *bindings.every_string_t,
) bool {
    _ = name;
    _ = ret;
    _ = err;
    @panic("test:every/resources@1.2.0: open is not written yet");
}

/// Pages of a document.
///
/// `pages: func(of: borrow<document>) -> list<page>`
export fn exports_test_every_resources_pages(
    of: bindings.exports_test_every_resources_borrow_document_t,
    ret: *bindings.exports_test_every_resources_list_own_page_t,
) void {
    _ = of;
    _ = ret;
    @panic("test:every/resources@1.2.0: pages is not written yet");
}

/// A new document with this title.
///
/// `constructor(title: string)`
export fn exports_test_every_resources_constructor_document(
    title: *bindings.every_string_t,
) bindings.exports_test_every_resources_own_document_t {
    _ = title;
    @panic("test:every/resources@1.2.0: document.constructor is not written yet");
}

/// Its title.
///
/// `title: func() -> string`
export fn exports_test_every_resources_method_document_title(
    self: bindings.exports_test_every_resources_borrow_document_t,
    ret: *bindings.every_string_t,
) void {
    _ = self;
    _ = ret;
    @panic("test:every/resources@1.2.0: document.title is not written yet");
}

/// Draws the document.
///
/// `draw-on: func(where: borrow<canvas>) -> result<_, string>`
export fn exports_test_every_resources_method_document_draw_on(
    self: bindings.exports_test_every_resources_borrow_document_t,
    where: bindings.exports_test_every_resources_borrow_canvas_t,
    err: *bindings.every_string_t,
) bool {
    _ = self;
    _ = where;
    _ = err;
    @panic("test:every/resources@1.2.0: document.draw-on is not written yet");
}

/// Puts two together.
///
/// `merge: static func(a: document, b: borrow<document>) -> document`
export fn exports_test_every_resources_static_document_merge(
    a: bindings.exports_test_every_resources_own_document_t,
    b: bindings.exports_test_every_resources_borrow_document_t,
) bindings.exports_test_every_resources_own_document_t {
    _ = a;
    _ = b;
    @panic("test:every/resources@1.2.0: document.merge is not written yet");
}

/// Its number.
///
/// `number: func() -> u32`
export fn exports_test_every_resources_method_page_number(
    self: bindings.exports_test_every_resources_borrow_page_t,
) u32 {
    _ = self;
    @panic("test:every/resources@1.2.0: page.number is not written yet");
}

/// `constructor(n: u32)`
export fn exports_test_every_resources_constructor_fallible(
    n: u32,
    ret: *bindings.exports_test_every_resources_own_fallible_t,
    err: *bindings.every_string_t,
) bool {
    _ = n;
    _ = ret;
    _ = err;
    @panic("test:every/resources@1.2.0: fallible.constructor is not written yet");
}

/// At the root.
///
/// `mirror: func(p: point) -> point`
export fn exports_every_mirror(p: *bindings.every_point_t, ret: *bindings.every_point_t) void {
    _ = p;
    _ = ret;
    @panic("mirror is not written yet");
}
