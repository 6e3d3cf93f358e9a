//! How large the boxes and labels of a picture are, and what is written in them.
//!
//! Sizes are estimated, since there are no fonts to measure.

use super::{Picture, Shape};

/// Room within a box, around its text.
pub(super) const PADDING: f64 = 14.0;
pub(super) const NAME_SIZE: f64 = 15.0;
pub(super) const LINE_SIZE: f64 = 12.0;
pub(super) const LABEL_SIZE: f64 = 11.0;
/// From line to line, by the size of the letters.
pub(super) const LEADING: f64 = 1.35;
/// How wide letters are on average, by their size, in the widest of the usual fonts.
pub(super) const LETTER: f64 = 0.54;
/// The same of bold letters.
pub(super) const BOLD: f64 = 0.62;
/// Characters after which lines are broken, where something in them allows it.
const BROKEN: usize = 30;
/// The same in a compact picture.
const BROKEN_COMPACT: usize = 22;
/// Characters that are shown of one line.
const LONGEST: usize = 44;

/// A picture whose boxes and labels have widths and heights.
pub(super) struct Measured {
    pub picture: Picture,
    /// What is written in each box, and how it looks.
    pub lines: Vec<Vec<(&'static str, String)>>,
    pub boxes: Vec<(f64, f64)>,
    pub labels: Vec<(f64, f64)>,
}

impl Measured {
    pub(super) fn of(mut picture: Picture) -> Self {
        let width = if picture.is_compact() { BROKEN_COMPACT } else { BROKEN };
        for arrow in &mut picture.arrows {
            arrow.label = arrow.label.iter().flat_map(|line| broken(line, width)).collect();
        }
        let lines: Vec<_> = picture.boxes.iter().map(|shape| box_lines(shape, width)).collect();
        let boxes = lines.iter().map(|lines| box_size(lines)).collect();
        let labels = picture.arrows.iter().map(|arrow| label_size(&arrow.label)).collect();
        Measured { picture, lines, boxes, labels }
    }
}

pub(super) fn width_of(text: &str, size: f64, letter: f64) -> f64 {
    // Letters of scripts that are written in squares are twice as wide.
    let letters: f64 = text.chars().map(|c| if u32::from(c) < 0x1100 { 1.0 } else { 1.8 }).sum();
    letters * size * letter
}

fn box_size(lines: &[(&str, String)]) -> (f64, f64) {
    let (mut width, mut height) = (70.0_f64, 0.0);
    for (class, line) in lines {
        let (size, letter) = if *class == "name" { (NAME_SIZE, BOLD) } else { (LINE_SIZE, LETTER) };
        width = width.max(width_of(line, size, letter));
        height += size * LEADING;
    }
    (width + 2.0 * PADDING, height + 1.4 * PADDING)
}

/// The lines of a box, and how they look.
fn box_lines(shape: &Shape, width: usize) -> Vec<(&'static str, String)> {
    let lines =
        |class: &'static str, text: &str| broken(text, width).into_iter().map(move |line| (class, line));
    let mut all: Vec<(&'static str, String)> = lines("name", &shape.name).collect();
    all.extend(shape.lines.iter().flat_map(|line| lines("line", line)));
    all.extend(shape.calls.iter().flat_map(|line| lines("call", line)));
    all
}

fn label_size(label: &[String]) -> (f64, f64) {
    let width = label.iter().map(|line| width_of(line, LABEL_SIZE, LETTER)).fold(0.0, f64::max);
    if label.is_empty() { (0.0, 0.0) } else { (width + 8.0, LABEL_SIZE * LEADING * label.len() as f64 + 4.0) }
}

/// A line that is long, broken where words or parts of names end; and without its middle where it has none.
fn broken(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut piece = String::new();
    for c in line.chars() {
        // A count stays with what is counted.
        let ends = matches!(c, '/' | '-') || c == ' ' && piece.ends_with(',');
        piece.push(c);
        if ends {
            put_behind(&mut lines, &std::mem::take(&mut piece), width);
        }
    }
    put_behind(&mut lines, &piece, width);
    lines.iter().map(|line| cut(line.trim_end())).collect()
}

fn put_behind(lines: &mut Vec<String>, piece: &str, width: usize) {
    match lines.last_mut() {
        Some(last) if last.is_empty() || last.chars().count() + piece.trim_end().chars().count() <= width => {
            last.push_str(piece);
        }
        _ => lines.push(piece.to_owned()),
    }
}

/// A line that is too long, without its middle.
pub(super) fn cut(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    if letters.len() <= LONGEST {
        return line.to_owned();
    }
    let half = LONGEST / 2 - 1;
    let (first, last) = (&letters[..half], &letters[letters.len() - half..]);
    first.iter().chain(['…'].iter()).chain(last).collect()
}
