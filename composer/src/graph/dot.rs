//! The picture in the language of Graphviz.

use std::fmt::Write;

use super::{Kind, Picture, Shape};

pub(super) fn write(picture: &Picture) -> String {
    let title = quoted(&[format!("{}: {}", picture.title, picture.about)]);
    let mut text = format!(
        "digraph composition {{\n    graph [label={title}, labelloc=t, rankdir=LR, fontname=\"sans-serif\"]\n    node \
         [fontname=\"sans-serif\", style=\"filled,rounded\", shape=box]\n    edge [fontname=\"sans-serif\", fontsize=10]\n"
    );
    for (index, shape) in picture.boxes.iter().enumerate().filter(|(_, shape)| shape.kind != Kind::Host) {
        line(&mut text, &format!("    n{index} {}", attributes(shape)));
    }
    if picture.boxes.iter().any(|shape| shape.kind == Kind::Host) {
        line(&mut text, "    subgraph cluster_host {");
        line(&mut text, "        graph [label=\"the host\", style=\"rounded,dashed\", color=\"#5a78a8\"]");
        for (index, shape) in picture.boxes.iter().enumerate().filter(|(_, shape)| shape.kind == Kind::Host) {
            line(&mut text, &format!("        n{index} {}", attributes(shape)));
        }
        line(&mut text, "    }");
    }
    for arrow in &picture.arrows {
        let style = if arrow.types_only { ", style=dashed" } else { "" };
        let (label, tooltip) = (quoted(&arrow.label), quoted(&arrow.full));
        line(
            &mut text,
            &format!("    n{} -> n{} [label={label}, tooltip={tooltip}{style}]", arrow.from, arrow.to),
        );
    }
    text.push_str("}\n");
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string never fails");
}

fn attributes(shape: &Shape) -> String {
    let lines: Vec<String> = std::iter::once(&shape.name).chain(&shape.lines).cloned().collect();
    let look = match shape.kind {
        Kind::Part => "fillcolor=\"#fff4cf\", color=\"#c79f1c\"",
        Kind::Host => "fillcolor=\"#dfe7f3\", color=\"#5a78a8\", style=filled",
        Kind::Exports => "fillcolor=\"#e4f0e2\", color=\"#5b8a55\", shape=oval",
    };
    format!("[label={}, {look}]", quoted(&lines))
}

/// Lines as a quoted string.
fn quoted(lines: &[String]) -> String {
    let safe =
        |line: &String| line.replace(char::is_control, "\u{fffd}").replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(safe).collect::<Vec<_>>().join("\\n"))
}
