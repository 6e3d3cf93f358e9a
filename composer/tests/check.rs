//! What `check` finds, for each class of mismatches and where several meet.

use composer::check::{Class, Part, Report, plug, text, world};
use composer::contract::Contracts;
use composer::shape::Shape;

/// The type of the components of the only world in a text.
fn shape(wit: &str) -> Shape {
    let contracts = Contracts::parse("test.wit", wit).unwrap_or_else(|error| panic!("{error:#}\n{wit}"));
    let world = contracts.only_world().expect("the test has one world");
    Shape::of_world(&contracts, world).expect("the world can be encoded")
}

/// Fenced blocks of WIT, each with the role that its fence names.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("```wit ")
        .skip(1)
        .map(|rest| {
            let (role, rest) = rest.split_once('\n').expect("a role");
            (role, rest.split("```").next().expect("a block that ends"))
        })
        .collect()
}

fn checked(page: &str) -> Report {
    let shapes: Vec<(&str, Shape)> = blocks(page).into_iter().map(|(role, wit)| (role, shape(wit))).collect();
    let parts: Vec<Part<'_>> = shapes.iter().map(|(role, shape)| Part { name: role, shape }).collect();
    match parts.as_slice() {
        [component, wanted] if wanted.name == "world" => world(*component, *wanted),
        [socket, plugs @ ..] => plug(*socket, plugs),
        [] => panic!("a page without an example"),
    }
    .expect("it can be compared")
}

#[test]
fn the_example_of_each_page_is_of_its_class() {
    for class in Class::ALL {
        let report = checked(class.page());
        println!("{}", text(&report, false));
        let found: Vec<Class> = report.mismatches.iter().map(|mismatch| mismatch.class).collect();
        assert_eq!(found, [*class]);
    }
}
