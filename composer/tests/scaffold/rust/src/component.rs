//! The exports. Each stub says what the contract asks of it, and traps until it is written.

use crate::bindings;
use crate::bindings::exports::test::every::resources;
use crate::bindings::exports::test::every::values;

/// What implements the world.
pub struct Component;

// Every kind of value. A line of this description is much longer than a hundred columns, so that it
// has to be wrapped somewhere, and wrapped once more.
impl values::Guest for Component {
    /// Numbers of every width.
    ///
    /// - First point of a list which is long enough that it must be wrapped as well, with its
    ///   second line indented.
    /// - Second point.
    fn numbers(
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
        l: char,
    ) -> u64 {
        let _ = (a, b, c, d, e, f, g, h, i, j, k, l);
        panic!("test:every/values@1.2.0: numbers is not written yet")
    }

    fn texts(s: String, many: values::Names, pair: values::Pair) -> Option<String> {
        let _ = (s, many, pair);
        panic!("test:every/values@1.2.0: texts is not written yet")
    }

    fn list(rights: values::Rights, colour: values::Colour) -> Vec<values::Colour> {
        let _ = (rights, colour);
        panic!("test:every/values@1.2.0: list is not written yet")
    }

    fn shapes(
        p: values::Point,
        s: values::Shape,
        o: Option<values::Shape>,
        l: Vec<(values::Point, Option<u32>)>,
    ) -> Result<values::Shape, values::Colour> {
        let _ = (p, s, o, l);
        panic!("test:every/values@1.2.0: shapes is not written yet")
    }

    fn nothing() {
        panic!("test:every/values@1.2.0: nothing is not written yet")
    }

    fn bare() -> Result<(), ()> {
        panic!("test:every/values@1.2.0: bare is not written yet")
    }

    fn only_error() -> Result<(), String> {
        panic!("test:every/values@1.2.0: only-error is not written yet")
    }

    fn only_ok(r: Result<u32, ()>) -> Result<u32, ()> {
        let _ = r;
        panic!("test:every/values@1.2.0: only-ok is not written yet")
    }

    fn nested(x: Option<Option<u32>>, type_: Vec<Vec<u8>>) -> (u32, String) {
        let _ = (x, type_);
        panic!("test:every/values@1.2.0: nested is not written yet")
    }
}

// Resources.
impl resources::Guest for Component {
    type Document = ResourcesDocument;
    type Page = ResourcesPage;
    type Fallible = ResourcesFallible;

    /// Opens a document.
    fn open(name: String) -> Result<resources::Document, String> {
        let _ = name;
        panic!("test:every/resources@1.2.0: open is not written yet")
    }

    /// Pages of a document.
    fn pages(of: resources::DocumentBorrow<'_>) -> Vec<resources::Page> {
        let _ = of;
        panic!("test:every/resources@1.2.0: pages is not written yet")
    }
}

/// A document.
pub struct ResourcesDocument;

impl resources::GuestDocument for ResourcesDocument {
    /// A new document with this title.
    fn new(title: String) -> Self {
        let _ = title;
        panic!("test:every/resources@1.2.0: document.constructor is not written yet")
    }

    /// Its title.
    fn title(&self) -> String {
        panic!("test:every/resources@1.2.0: document.title is not written yet")
    }

    /// Draws the document.
    fn draw_on(&self, where_: &resources::Canvas) -> Result<(), String> {
        let _ = where_;
        panic!("test:every/resources@1.2.0: document.draw-on is not written yet")
    }

    /// Puts two together.
    fn merge(a: resources::Document, b: resources::DocumentBorrow<'_>) -> resources::Document {
        let _ = (a, b);
        panic!("test:every/resources@1.2.0: document.merge is not written yet")
    }
}

/// A page without a constructor.
pub struct ResourcesPage;

impl resources::GuestPage for ResourcesPage {
    /// Its number.
    fn number(&self) -> u32 {
        panic!("test:every/resources@1.2.0: page.number is not written yet")
    }
}

/// May fail.
pub struct ResourcesFallible;

impl resources::GuestFallible for ResourcesFallible {
    fn new(n: u32) -> Result<Self, String> {
        let _ = n;
        panic!("test:every/resources@1.2.0: fallible.constructor is not written yet")
    }
}

impl bindings::Guest for Component {
    /// At the root.
    fn mirror(p: bindings::Point) -> bindings::Point {
        let _ = p;
        panic!("mirror is not written yet")
    }
}
