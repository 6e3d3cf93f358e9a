//! The picture in Mermaid.

use std::fmt::Write;

use super::{Kind, Picture, Shape};

pub(super) fn write(picture: &Picture) -> String {
    let mut text = format!(
        "---\ntitle: {}\n---\nflowchart LR\n",
        yaml(&format!("{}: {}", picture.title, picture.about))
    );
    for (index, shape) in picture.boxes.iter().enumerate().filter(|(_, shape)| shape.kind != Kind::Host) {
        line(&mut text, &format!("    n{index}{}", boxed(shape)));
    }
    if picture.boxes.iter().any(|shape| shape.kind == Kind::Host) {
        line(&mut text, "    subgraph host [\"the host\"]");
        for (index, shape) in picture.boxes.iter().enumerate().filter(|(_, shape)| shape.kind == Kind::Host) {
            line(&mut text, &format!("        n{index}{}", boxed(shape)));
        }
        line(&mut text, "    end");
    }
    for arrow in &picture.arrows {
        let (from, to) = (arrow.from, arrow.to);
        let shaft = if arrow.types_only { "-.->" } else { "-->" };
        let label: Vec<String> = arrow.label.iter().map(|line| escaped(line)).collect();
        let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", label.join("<br>")) };
        line(&mut text, &format!("    n{from} {shaft}{label} n{to}"));
    }
    line(&mut text, "    classDef part fill:#fff4cf,stroke:#c79f1c,color:#17202a");
    line(&mut text, "    classDef host fill:#dfe7f3,stroke:#5a78a8,color:#17202a");
    line(&mut text, "    classDef exports fill:#e4f0e2,stroke:#5b8a55,color:#17202a");
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string never fails");
}

fn boxed(shape: &Shape) -> String {
    let mut words = format!("<b>{}</b>", escaped(&shape.name));
    for line in &shape.lines {
        words.push_str("<br>");
        words.push_str(&escaped(line));
    }
    match shape.kind {
        Kind::Part => format!("(\"{words}\"):::part"),
        Kind::Host => format!("[\"{words}\"]:::host"),
        Kind::Exports => format!("([\"{words}\"]):::exports"),
    }
}

/// Within quotation marks everything stands for itself but these, for which Mermaid has codes of its own.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' | '"' | '<' | '>' | '&' | '`' | '\\' | ';' => {
                write!(safe, "#{};", u32::from(c)).expect("writing to a string never fails");
            }
            _ if c.is_control() => safe.push(char::REPLACEMENT_CHARACTER),
            _ => safe.push(c),
        }
    }
    safe
}

/// A text of YAML, in quotation marks.
fn yaml(text: &str) -> String {
    let safe = text.replace(char::is_control, "\u{fffd}").replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{safe}\"")
}
