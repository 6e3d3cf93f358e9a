//! The picture as SVG.
//!
//! It all stands on a panel of its own, so that it reads the same on light and dark pages.

use std::fmt::Write;

use super::layout::{GROUND, GROUND_TITLE, MARGIN, Place, Plan, Point};
use super::measured::{
    BOLD, LABEL_SIZE, LEADING, LETTER, LINE_SIZE, Measured, NAME_SIZE, PADDING, cut, width_of,
};
use super::{Kind, Picture, Shape};

pub(super) fn write(sized: &Measured, plan: &Plan) -> String {
    let Measured { picture, labels, .. } = sized;
    let mut text = String::new();
    head(&mut text, picture, plan);
    host_panel(&mut text, picture, plan);
    for (arrow, route) in picture.arrows.iter().zip(&plan.routes) {
        let dashed = if arrow.types_only { " stroke-dasharray=\"5 4\"" } else { "" };
        put(
            &mut text,
            &format!(
                "<g class=\"arrow\" data-from=\"{}\" data-to=\"{}\"><title>{}</title><path d=\"{}\"{dashed} \
                 marker-end=\"url(#tip)\"/></g>",
                escaped(&picture.boxes[arrow.from].name),
                escaped(&picture.boxes[arrow.to].name),
                escaped(&arrow.full.join(", ")),
                path(&route.points, plan.down),
            ),
        );
    }
    for (index, place) in plan.places.iter().enumerate() {
        draw_box(&mut text, sized, index, place);
    }
    // Labels last: nothing may run across them.
    for ((arrow, route), size) in picture.arrows.iter().zip(&plan.routes).zip(labels) {
        draw_label(&mut text, &arrow.label, route.label, *size);
    }
    text.push_str("</svg>\n");
    text
}

fn head(text: &mut String, picture: &Picture, plan: &Plan) {
    let title = width_of(&cut(&picture.title), NAME_SIZE, BOLD) + width_of(&picture.about, LINE_SIZE, LETTER);
    let legend = picture.legend.as_deref().map_or(0.0, |legend| width_of(legend, LINE_SIZE, LETTER));
    let words = 2.0 * MARGIN + legend.max(title + PADDING);
    let (width, height) = (plan.width.max(words).ceil(), plan.height.ceil());
    put(
        text,
        &format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
             {height}\" role=\"img\" aria-labelledby=\"title words\" font-family=\"ui-sans-serif, system-ui, 'Segoe UI', \
             Helvetica, Arial, sans-serif\">"
        ),
    );
    put(text, &format!("<title id=\"title\">{}</title>", escaped(&picture.title)));
    put(text, &format!("<desc id=\"words\">{}</desc>", escaped(&picture.words())));
    put(
        text,
        &format!(
            "<style>.name {{ font-size: {NAME_SIZE}px; font-weight: 650; fill: #17202a }} .line {{ font-size: \
             {LINE_SIZE}px; fill: #33404c }} .call {{ font-size: {LINE_SIZE}px; fill: #3a5c93 }} .label text {{ font-size: {LABEL_SIZE}px; fill: #26323d }} .arrow path {{ fill: \
             none; stroke: #5b6875; stroke-width: 1.5 }}</style>"
        ),
    );
    put(
        text,
        "<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0 10 5 0 10z\" fill=\"#5b6875\"/></marker></defs>",
    );
    put(text, &format!("<rect width=\"{width}\" height=\"{height}\" rx=\"14\" fill=\"#fbfbf9\"/>"));
    put(
        text,
        &format!(
            "<text x=\"{MARGIN}\" y=\"38\"><tspan class=\"name\">{}</tspan><tspan class=\"line\" dx=\"10\">{}</tspan></text>",
            escaped(&cut(&picture.title)),
            escaped(&picture.about)
        ),
    );
    if let Some(legend) = &picture.legend {
        let line = format!("<text class=\"line\" x=\"{MARGIN}\" y=\"57\">{}</text>", escaped(legend));
        put(text, &line);
    }
}

/// The ground on which the host's boxes stand.
fn host_panel(text: &mut String, picture: &Picture, plan: &Plan) {
    let hosts = picture.boxes.iter().zip(&plan.places).filter(|(shape, _)| shape.kind == Kind::Host);
    let sides = |(_, place): (&Shape, &Place)| {
        [
            place.x - place.width / 2.0,
            place.y - place.height / 2.0,
            place.x + place.width / 2.0,
            place.y + place.height / 2.0,
        ]
    };
    let around =
        hosts.map(sides).reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
    let Some([left, top, right, bottom]) = around else { return };
    put(
        text,
        &format!(
            "<g><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"12\" fill=\"#eef2f8\" \
             stroke=\"#9fb1cd\" stroke-dasharray=\"6 5\"/><text class=\"line\" x=\"{:.1}\" y=\"{:.1}\">the \
             host</text></g>",
            left - GROUND,
            top - GROUND_TITLE,
            right - left + 2.0 * GROUND,
            bottom - top + GROUND + GROUND_TITLE,
            left,
            top - 9.0
        ),
    );
}

/// Fill and outline.
fn colours(shape: &Shape) -> (&'static str, &'static str) {
    match shape.kind {
        Kind::Host => ("#dfe7f3", "#5a78a8"),
        Kind::Exports => ("#e4f0e2", "#5b8a55"),
        Kind::Part => match shape.language.as_deref() {
            Some("Rust") => ("#fbe2d5", "#c4633a"),
            Some("JavaScript") => ("#fff4cf", "#b58d0e"),
            Some("Python") => ("#dcecf7", "#3d76a8"),
            Some("Zig") => ("#fdebc8", "#c27d12"),
            Some("C" | "C++") => ("#e6e4f4", "#6a61a8"),
            Some("Go") => ("#d6f1f2", "#2b8f99"),
            _ => ("#eceff1", "#7a8791"),
        },
    }
}

fn draw_box(text: &mut String, sized: &Measured, index: usize, place: &Place) {
    let shape = &sized.picture.boxes[index];
    let (fill, outline) = colours(shape);
    let (class, radius) = match shape.kind {
        Kind::Part => ("part", 10.0),
        Kind::Host => ("host", 3.0),
        Kind::Exports => ("exports", 20.0),
    };
    let (left, top) = (place.x - place.width / 2.0, place.y - place.height / 2.0);
    put(
        text,
        &format!(
            "<g class=\"{class}\"><title>{}</title><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
             rx=\"{radius}\" fill=\"{fill}\" stroke=\"{outline}\" stroke-width=\"1.5\"/>",
            tooltip(&sized.picture, index),
            place.width,
            place.height
        ),
    );
    let mut y = top + 0.7 * PADDING;
    for (class, words) in &sized.lines[index] {
        let size = if *class == "name" { NAME_SIZE } else { LINE_SIZE };
        y += size * LEADING;
        put(
            text,
            &format!(
                "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                place.x,
                y - 0.35 * size,
                escaped(words)
            ),
        );
    }
    put(text, "</g>");
}

/// What shows up when a box is pointed at, in lines: its name, and what no arrow says of it.
fn tooltip(picture: &Picture, index: usize) -> String {
    let mut lines = vec![escaped(&picture.boxes[index].name)];
    for arrow in &picture.to_host {
        let name = |index: usize| escaped(&picture.boxes[index].name);
        if arrow.from == index {
            lines.push(format!("calls {}: {}", name(arrow.to), escaped(&arrow.full.join(", "))));
        } else if arrow.to == index {
            lines.push(format!("called by {}", name(arrow.from)));
        }
    }
    lines.join("\n")
}

/// A label, on a ground of its own: its arrow runs below it.
fn draw_label(text: &mut String, label: &[String], at: Point, (width, height): (f64, f64)) {
    if label.is_empty() {
        return;
    }
    let (left, top) = (at.x - width / 2.0, at.y - height / 2.0);
    put(
        text,
        &format!(
            "<g class=\"label\"><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"#fbfbf9\"/>"
        ),
    );
    for (index, line) in label.iter().enumerate() {
        let y = top + 2.0 + LABEL_SIZE * (LEADING * index as f64 + 1.0);
        let (x, line) = (at.x, escaped(line));
        put(text, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{line}</text>"));
    }
    put(text, "</g>");
}

/// A smooth line through the points, in each of them level, or upright where it runs down.
fn path(points: &[Point], down: bool) -> String {
    let Some(first) = points.first() else { return String::new() };
    let mut path = format!("M{:.1} {:.1}", first.x, first.y);
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (middle, middle_y) = ((from.x + to.x) / 2.0, (from.y + to.y) / 2.0);
        let piece = if (from.y - to.y).abs() < 0.1 || (from.x - to.x).abs() < 0.1 {
            format!("L{:.1} {:.1}", to.x, to.y)
        } else if down {
            format!("C{:.1} {middle_y:.1} {:.1} {middle_y:.1} {:.1} {:.1}", from.x, to.x, to.x, to.y)
        } else {
            format!("C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", from.y, to.y, to.x, to.y)
        };
        path.push_str(&piece);
    }
    path
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string never fails");
}

/// A text within XML, in elements and attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML has no way to write these.
            '\u{fffe}' | '\u{ffff}' => safe.push(char::REPLACEMENT_CHARACTER),
            _ if c.is_control() => safe.push(char::REPLACEMENT_CHARACTER),
            _ => safe.push(c),
        }
    }
    safe
}
