//! The picture as SVG.
//!
//! Sizes of boxes and labels are estimated, since there are no fonts to measure. It all stands on a panel of its own, so
//! that it reads the same on light and dark pages.

use std::fmt::Write;

use super::layout::{MARGIN, Place, Plan, Point, plan};
use super::{Kind, Picture, Shape};
use crate::contain::{Crash, contain};

/// Room within a box, around its text.
const PADDING: f64 = 14.0;
const NAME_SIZE: f64 = 15.0;
const LINE_SIZE: f64 = 12.0;
const LABEL_SIZE: f64 = 11.0;
/// From line to line, by the size of the letters.
const LEADING: f64 = 1.35;
/// How wide letters are on average, by their size, in the widest of the usual fonts.
const LETTER: f64 = 0.54;
/// The same of bold letters.
const BOLD: f64 = 0.62;
/// Characters that are shown of one line.
const LONGEST: usize = 44;

pub(super) fn write(picture: &Picture) -> Result<String, Crash> {
    let boxes: Vec<(f64, f64)> = picture.boxes.iter().map(measured).collect();
    let labels: Vec<(f64, f64)> = picture.arrows.iter().map(|arrow| label_size(&arrow.label)).collect();
    let plan = contain(|| plan(picture, &boxes, &labels))?;
    let mut text = String::new();
    head(&mut text, picture, &plan);
    host_panel(&mut text, picture, &plan);
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
                path(&route.points),
            ),
        );
    }
    for (shape, place) in picture.boxes.iter().zip(&plan.places) {
        draw_box(&mut text, shape, place);
    }
    // Labels last: nothing may run across them.
    for ((arrow, route), size) in picture.arrows.iter().zip(&plan.routes).zip(&labels) {
        draw_label(&mut text, &arrow.label, route.label, *size);
    }
    text.push_str("</svg>\n");
    Ok(text)
}

fn width_of(text: &str, size: f64, letter: f64) -> f64 {
    // Letters of scripts that are written in squares are twice as wide.
    let letters: f64 = text.chars().map(|c| if u32::from(c) < 0x1100 { 1.0 } else { 1.8 }).sum();
    letters * size * letter
}

fn measured(shape: &Shape) -> (f64, f64) {
    let name = width_of(&cut(&shape.name), NAME_SIZE, BOLD);
    let lines = shape.lines.iter().map(|line| width_of(&cut(line), LINE_SIZE, LETTER));
    let width = lines.fold(name, f64::max).max(70.0) + 2.0 * PADDING;
    let height = LEADING * (NAME_SIZE + LINE_SIZE * shape.lines.len() as f64) + 1.4 * PADDING;
    (width, height)
}

fn label_size(label: &[String]) -> (f64, f64) {
    let width = label.iter().map(|line| width_of(&cut(line), LABEL_SIZE, LETTER)).fold(0.0, f64::max);
    if label.is_empty() { (0.0, 0.0) } else { (width + 8.0, LABEL_SIZE * LEADING * label.len() as f64 + 4.0) }
}

/// A line that is too long, without its middle.
fn cut(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    if letters.len() <= LONGEST {
        return line.to_owned();
    }
    let half = LONGEST / 2 - 1;
    let (first, last) = (&letters[..half], &letters[letters.len() - half..]);
    first.iter().chain(['…'].iter()).chain(last).collect()
}

fn head(text: &mut String, picture: &Picture, plan: &Plan) {
    let (width, height) = (plan.width.max(240.0).ceil(), plan.height.ceil());
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
             {LINE_SIZE}px; fill: #33404c }} .label text {{ font-size: {LABEL_SIZE}px; fill: #26323d }} .arrow path {{ fill: \
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
            left - 14.0,
            top - 26.0,
            right - left + 28.0,
            bottom - top + 40.0,
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

fn draw_box(text: &mut String, shape: &Shape, place: &Place) {
    let (fill, outline) = colours(shape);
    let radius = match shape.kind {
        Kind::Part => 10.0,
        Kind::Host => 3.0,
        Kind::Exports => 20.0,
    };
    let class = match shape.kind {
        Kind::Part => "part",
        Kind::Host => "host",
        Kind::Exports => "exports",
    };
    let (left, top) = (place.x - place.width / 2.0, place.y - place.height / 2.0);
    put(
        text,
        &format!(
            "<g class=\"{class}\"><title>{}</title><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
             rx=\"{radius}\" fill=\"{fill}\" stroke=\"{outline}\" stroke-width=\"1.5\"/>",
            escaped(&shape.name),
            place.width,
            place.height
        ),
    );
    let mut y = top + 0.7 * PADDING + NAME_SIZE;
    let mut line = |class: &str, words: &str, y: f64| {
        let (x, words) = (place.x, escaped(&cut(words)));
        put(
            text,
            &format!(
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{words}</text>"
            ),
        );
    };
    line("name", &shape.name, y);
    y += 0.3 * NAME_SIZE;
    for words in &shape.lines {
        y += LINE_SIZE * LEADING;
        line("line", words, y - 0.2 * LINE_SIZE);
    }
    put(text, "</g>");
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
        let (x, line) = (at.x, escaped(&cut(line)));
        put(text, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{line}</text>"));
    }
    put(text, "</g>");
}

/// A smooth line through the points, level in each of them.
fn path(points: &[Point]) -> String {
    let Some(first) = points.first() else { return String::new() };
    let mut path = format!("M{:.1} {:.1}", first.x, first.y);
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let piece = if (from.y - to.y).abs() < 0.1 {
            format!("L{:.1} {:.1}", to.x, to.y)
        } else {
            let middle = (from.x + to.x) / 2.0;
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
