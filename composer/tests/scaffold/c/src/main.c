/*
 * The component `mine`, for the world `every`.
 *
 * Everything, for one component.
 *
 * What arrives belongs to this side and is freed here; what is returned belongs to the caller, and
 * is freed by the bindings after it was copied. Each stub traps until it is written.
 */
#include "every.h"

/* Ends the call, with these words for whoever reads the source. */
#define NOT_WRITTEN(words) __builtin_trap()

/*
 * `test:every/values@1.2.0`
 *
 * Every kind of value. A line of this description is much longer than a hundred columns, so that
 * it has to be wrapped somewhere, and wrapped once more.
 */

/*
 * Numbers of every width.
 *
 * - First point of a list which is long enough that it must be wrapped as well, with its second
 *   line indented.
 * - Second point.
 *
 * `numbers: func(a: u8, b: s8, c: u16, d: s16, e: u32, f: s32, g: u64, h: s64, i: f32, j: f64, k:
 * bool, l: char) -> u64`
 */
uint64_t exports_test_every_values_numbers(
    uint8_t a,
    int8_t b,
    uint16_t c,
    int16_t d,
    uint32_t e,
    int32_t f,
    uint64_t g,
    int64_t h,
    float i,
    double j,
    bool k,
    uint32_t l)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    (void)e;
    (void)f;
    (void)g;
    (void)h;
    (void)i;
    (void)j;
    (void)k;
    (void)l;
    NOT_WRITTEN("test:every/values@1.2.0: numbers is not written yet");
}

/*
 * `texts: func(s: string, many: names, pair: pair) -> option<string>`
 */
bool exports_test_every_values_texts(
    every_string_t *s,
    exports_test_every_values_names_t *many,
    exports_test_every_values_pair_t *pair,
    every_string_t *ret)
{
    (void)s;
    (void)many;
    (void)pair;
    (void)ret;
    NOT_WRITTEN("test:every/values@1.2.0: texts is not written yet");
}

/*
 * `list: func(rights: rights, colour: colour) -> list<colour>`
 */
void exports_test_every_values_list(
    exports_test_every_values_rights_t rights,
    exports_test_every_values_colour_t colour,
    exports_test_every_values_list_colour_t *ret)
{
    (void)rights;
    (void)colour;
    (void)ret;
    NOT_WRITTEN("test:every/values@1.2.0: list is not written yet");
}

/*
 * `shapes: func(p: point, s: shape, o: option<shape>, l: list<tuple<point, option<u32>>>) ->
 * result<shape, colour>`
 */
bool exports_test_every_values_shapes(
    exports_test_every_values_point_t *p,
    exports_test_every_values_shape_t *s,
    exports_test_every_values_shape_t *maybe_o,
    exports_test_every_values_list_tuple2_point_option_u32_t *l,
    exports_test_every_values_shape_t *ret,
    exports_test_every_values_colour_t *err)
{
    (void)p;
    (void)s;
    (void)maybe_o;
    (void)l;
    (void)ret;
    (void)err;
    NOT_WRITTEN("test:every/values@1.2.0: shapes is not written yet");
}

/*
 * `nothing: func()`
 */
void exports_test_every_values_nothing(void)
{
    NOT_WRITTEN("test:every/values@1.2.0: nothing is not written yet");
}

/*
 * `bare: func() -> result`
 */
bool exports_test_every_values_bare(void)
{
    NOT_WRITTEN("test:every/values@1.2.0: bare is not written yet");
}

/*
 * `only-error: func() -> result<_, string>`
 */
bool exports_test_every_values_only_error(every_string_t *err)
{
    (void)err;
    NOT_WRITTEN("test:every/values@1.2.0: only-error is not written yet");
}

/*
 * `only-ok: func(r: result<u32>) -> result<u32>`
 */
bool exports_test_every_values_only_ok(
    exports_test_every_values_result_u32_void_t *r,
    uint32_t *ret)
{
    (void)r;
    (void)ret;
    NOT_WRITTEN("test:every/values@1.2.0: only-ok is not written yet");
}

/*
 * `nested: func(x: option<option<u32>>, type: list<list<u8>>) -> tuple<u32, string>`
 */
void exports_test_every_values_nested(
    every_option_u32_t *maybe_x,
    every_list_list_u8_t *type,
    every_tuple2_u32_string_t *ret)
{
    (void)maybe_x;
    (void)type;
    (void)ret;
    NOT_WRITTEN("test:every/values@1.2.0: nested is not written yet");
}

/*
 * `test:every/resources@1.2.0`
 *
 * Resources.
 */

/*
 * `document`
 *
 * A document.
 */
struct exports_test_every_resources_document_t {
    /* C has no struct without a member. */
    char unused;
};

/* Called when the last handle of a `document` is dropped. */
void exports_test_every_resources_document_destructor(exports_test_every_resources_document_t *rep)
{
    (void)rep;
    NOT_WRITTEN("the end of document is not written yet");
}

/*
 * `page`
 *
 * A page without a constructor.
 */
struct exports_test_every_resources_page_t {
    /* C has no struct without a member. */
    char unused;
};

/* Called when the last handle of a `page` is dropped. */
void exports_test_every_resources_page_destructor(exports_test_every_resources_page_t *rep)
{
    (void)rep;
    NOT_WRITTEN("the end of page is not written yet");
}

/*
 * `fallible`
 *
 * May fail.
 */
struct exports_test_every_resources_fallible_t {
    /* C has no struct without a member. */
    char unused;
};

/* Called when the last handle of a `fallible` is dropped. */
void exports_test_every_resources_fallible_destructor(exports_test_every_resources_fallible_t *rep)
{
    (void)rep;
    NOT_WRITTEN("the end of fallible is not written yet");
}

/*
 * Opens a document.
 *
 * `open: func(name: string) -> result<document, string>`
 */
bool exports_test_every_resources_open(
    every_string_t *name,
    exports_test_every_resources_own_document_t *ret,
    every_string_t *err)
{
    (void)name;
    (void)ret;
    (void)err;
    NOT_WRITTEN("test:every/resources@1.2.0: open is not written yet");
}

/*
 * Pages of a document.
 *
 * `pages: func(of: borrow<document>) -> list<page>`
 */
void exports_test_every_resources_pages(
    exports_test_every_resources_borrow_document_t of,
    exports_test_every_resources_list_own_page_t *ret)
{
    (void)of;
    (void)ret;
    NOT_WRITTEN("test:every/resources@1.2.0: pages is not written yet");
}

/*
 * A new document with this title.
 *
 * `constructor(title: string)`
 */
exports_test_every_resources_own_document_t exports_test_every_resources_constructor_document(
    every_string_t *title)
{
    (void)title;
    NOT_WRITTEN("test:every/resources@1.2.0: document.constructor is not written yet");
}

/*
 * Its title.
 *
 * `title: func() -> string`
 */
void exports_test_every_resources_method_document_title(
    exports_test_every_resources_borrow_document_t self,
    every_string_t *ret)
{
    (void)self;
    (void)ret;
    NOT_WRITTEN("test:every/resources@1.2.0: document.title is not written yet");
}

/*
 * Draws the document.
 *
 * `draw-on: func(where: borrow<canvas>) -> result<_, string>`
 */
bool exports_test_every_resources_method_document_draw_on(
    exports_test_every_resources_borrow_document_t self,
    exports_test_every_resources_borrow_canvas_t where,
    every_string_t *err)
{
    (void)self;
    (void)where;
    (void)err;
    NOT_WRITTEN("test:every/resources@1.2.0: document.draw-on is not written yet");
}

/*
 * Puts two together.
 *
 * `merge: static func(a: document, b: borrow<document>) -> document`
 */
exports_test_every_resources_own_document_t exports_test_every_resources_static_document_merge(
    exports_test_every_resources_own_document_t a,
    exports_test_every_resources_borrow_document_t b)
{
    (void)a;
    (void)b;
    NOT_WRITTEN("test:every/resources@1.2.0: document.merge is not written yet");
}

/*
 * Its number.
 *
 * `number: func() -> u32`
 */
uint32_t exports_test_every_resources_method_page_number(
    exports_test_every_resources_borrow_page_t self)
{
    (void)self;
    NOT_WRITTEN("test:every/resources@1.2.0: page.number is not written yet");
}

/*
 * `constructor(n: u32)`
 */
bool exports_test_every_resources_constructor_fallible(
    uint32_t n,
    exports_test_every_resources_own_fallible_t *ret,
    every_string_t *err)
{
    (void)n;
    (void)ret;
    (void)err;
    NOT_WRITTEN("test:every/resources@1.2.0: fallible.constructor is not written yet");
}

/*
 * At the root.
 *
 * `mirror: func(p: point) -> point`
 */
void exports_every_mirror(every_point_t *p, every_point_t *ret)
{
    (void)p;
    (void)ret;
    NOT_WRITTEN("mirror is not written yet");
}
