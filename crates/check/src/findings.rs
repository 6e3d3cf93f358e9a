//! Puts what differs into words, and keeps it: excerpts of WIT from both sides, the edit, and what was probably meant.

mod differences;

use super::position::{At, Change, Root, Side};
use super::voice::Voice;
use super::{CheckError, Class, Excerpt, MISMATCHES, Mismatch, Part};
use contract::shape::Item;
use contract::shape::print::{self, Step};

pub(super) use differences::Members;

/// How much text the mismatches may show together, in bytes.
const LONGEST: usize = 32 << 20;
/// Interfaces of more items are not shown whole where something is missing in them.
pub(super) const SHOWN: usize = 40;

pub(super) type Done = Result<(), CheckError>;

/// What is noted of a name that is not the wanted one, where nothing else differs.
const FITS: &str = "apart from that, the two fit";

impl Mismatch {
    /// Whether only the name is another one.
    pub fn is_of_the_name_alone(&self) -> bool {
        self.candidate.is_some() && self.notes.iter().any(|note| note == FITS)
    }
}

/// Words what differs. Whether it does is decided elsewhere.
pub(super) struct Findings<'a> {
    pub(super) parts: &'a [Part<'a>],
    /// The part that is a world, if one is.
    world: Option<usize>,
    pub(super) found: Vec<Mismatch>,
    /// Between whom what is found is.
    pub(super) voice: Voice,
    /// How many bytes of text the excerpts have.
    printed: usize,
}

impl<'a> Findings<'a> {
    pub(super) fn new(parts: &'a [Part<'a>], world: Option<usize>) -> Self {
        Findings { parts, world, found: Vec::new(), voice: Voice::Fit, printed: 0 }
    }

    pub(super) fn name(&self, part: usize) -> &'a str {
        self.parts[part].name
    }

    /// Begins to count anew how much text is shown.
    pub(super) fn forget(&mut self) {
        self.printed = 0;
    }

    /// Notes a mismatch. Steps lead from where the comparison stands to the differing token; None where one side has
    /// nothing to show.
    pub(super) fn note(
        &mut self,
        at: &At,
        class: Class,
        wanted: Option<&[Step]>,
        offered: Option<&[Step]>,
        problem: String,
        edit: String,
    ) -> Done {
        let wanted = wanted.map(|steps| self.excerpt(&at.wanted, steps));
        let offered = offered.map(|steps| self.excerpt(&at.offered, steps));
        self.printed +=
            [&wanted, &offered].into_iter().flatten().map(|excerpt| excerpt.text.len()).sum::<usize>();
        if self.printed > LONGEST || self.found.len() >= MISMATCHES {
            return Err(CheckError::TooMany);
        }
        let change = if at.change == Change::Wanted { at.wanted.part } else { at.offered.part };
        self.found.push(Mismatch {
            class,
            path: at.path.clone(),
            problem,
            wanted_by: self.name(at.wanted.part).to_owned(),
            wanted,
            offered_by: Some(self.name(at.offered.part).to_owned()),
            offered,
            shared: self.voice == Voice::Both,
            change: self.name(change).to_owned(),
            edit,
            candidate: None,
            notes: Vec::new(),
        });
        Ok(())
    }

    /// Adds notes to the last mismatch.
    pub(super) fn add_notes(&mut self, notes: impl IntoIterator<Item = String>) {
        if let Some(last) = self.found.last_mut() {
            last.notes.extend(notes);
        }
    }

    /// Adds to the last mismatch what was probably meant, and what else would differ.
    pub(super) fn candidate(&mut self, candidate: String, besides: &[Mismatch]) {
        let Some(last) = self.found.last_mut() else { return };
        last.candidate = Some(candidate);
        let line = |found: &Mismatch| format!("{}: {}", found.path.join(" > "), found.problem);
        match besides {
            [] => last.notes.push(FITS.to_owned()),
            [only] => last.notes.push(format!("apart from that, one thing differs: {}", line(only))),
            many => {
                last.notes.push(format!("apart from that, {} things differ:", many.len()));
                last.notes.extend(many.iter().map(line));
            }
        }
    }

    /// The text of an import or export of a part.
    pub(super) fn shown(&self, part: usize, name: &str, item: &Item) -> Excerpt {
        let printed = print::item_at(self.parts[part].shape, name, item, &[Step::Name]);
        Excerpt { text: printed.text, span: printed.span }
    }

    fn excerpt(&self, side: &Side, steps: &[Step]) -> Excerpt {
        let shape = self.parts[side.part].shape;
        let focus = [side.steps.as_slice(), steps].concat();
        let printed = match &side.root {
            Root::Type(id) => print::definition_at(shape, *id, &focus),
            Root::Item(name, Item::Interface(id)) if shape.interface(*id).items.len() > SHOWN => {
                let text = format!("interface {name} {{ … }}");
                print::Printed { span: 10..10 + name.len(), text }
            }
            Root::Item(name, item) => print::item_at(shape, name, item, &focus),
        };
        Excerpt { text: printed.text, span: printed.span }
    }

    /// The text of what differs, on both sides.
    fn tokens(&self, at: &At) -> (String, String) {
        let token = |side: &Side| self.excerpt(side, &[]).token().to_owned();
        (token(&at.wanted), token(&at.offered))
    }

    /// The edit that puts one thing in the place of another.
    fn instead(&self, at: &At, what: &str, wanted: &str, offered: &str) -> String {
        let (part, new, old) = match at.change {
            Change::Offered => (at.offered.part, wanted, offered),
            Change::Wanted => (at.wanted.part, offered, wanted),
        };
        let at = if what.is_empty() { String::new() } else { format!(" {what}") };
        format!("in `{}`,{at} make it {new} instead of {old}", self.name(part))
    }

    /// The edit that gives a thing the name that the other side has for it.
    pub(super) fn rename(&self, at: &At, wanted: &str, offered: &str) -> String {
        match at.change {
            Change::Offered => {
                format!("in `{}`, rename `{offered}` to `{wanted}`", self.name(at.offered.part))
            }
            Change::Wanted => format!("in `{}`, rename `{wanted}` to `{offered}`", self.name(at.wanted.part)),
        }
    }

    /// The edit where the two have one interface in different versions: whoever is to change takes the other's.
    fn build_against(&self, at: &At, wanted: &str, offered: &str) -> String {
        let (importer, exporter) = (self.name(at.wanted.part), self.name(at.offered.part));
        match at.change {
            Change::Offered => format!("build `{exporter}` against `{wanted}`"),
            Change::Wanted if Some(at.offered.part) == self.world => {
                format!("build `{importer}` against `{offered}`, or let `{exporter}` import `{wanted}`")
            }
            Change::Wanted => {
                format!("build `{importer}` against `{offered}`, or give a part that exports `{wanted}`")
            }
        }
    }

    /// The edit that adds what only one side has, or takes it away.
    fn add(&self, at: &At, thing: &str, place: &str, only_wanted: bool) -> String {
        let (part, adds) = match at.change {
            Change::Offered => (at.offered.part, only_wanted),
            Change::Wanted => (at.wanted.part, !only_wanted),
        };
        let part = self.name(part);
        if adds {
            format!("in `{part}`, add {thing} to {place}")
        } else {
            format!("in `{part}`, remove {thing} from {place}")
        }
    }
}
