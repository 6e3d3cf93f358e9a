//! Blame as text: a few lines for an error, and a page for a person.

use std::fmt::{self, Display, Formatter, Write};

use super::frames::Frame;
use super::{Beginning, Blame, Call, Kind, PartName, Relation, Role};

/// How many frames an error and a line of the log show, and how many a page.
const IN_ERROR: usize = 8;
const ON_PAGE: usize = 24;
/// What may be missing where modules were inlined into each other.
const MAY_HIDE: &str = "Calls between parts may have been inlined (--blame coarse): a frame may hide that of the part that it called.";
/// What is said where the frames begin with a part that the host need not have called.
const UNKNOWN_CALLER: &str = "(an asynchronous call leaves no frame of its caller, and the wires between the parts do not tell who that was)";
/// Functions that call one another in a circle, as far as that is looked for.
const LONGEST_CYCLE: usize = 12;
/// Columns of a page.
const WIDTH: usize = 100;
/// The column in which its texts begin.
const INDENT: &str = "              ";
/// Where a frame goes on that is longer than a line.
const FURTHER: &str = "                 ";
const FRAMES: &str = "frames";

/// What the host calls the component where there are no parts to tell apart.
const WHOLE: &str = "the component";

impl PartName {
    /// Its path, or that it is the whole.
    fn short(&self) -> &str {
        if self.path.is_empty() { WHOLE } else { &self.path }
    }

    fn with_language(&self) -> String {
        match &self.language {
            Some(language) => format!("{} ({language})", self.short()),
            None => self.short().to_owned(),
        }
    }
}

impl Call {
    /// The part, by its path; `one or two` where it cannot be told which.
    #[must_use]
    pub fn part(&self) -> String {
        let paths: Vec<&str> = self.parts.iter().map(PartName::short).collect();
        if paths.is_empty() { "a part that cannot be told".to_owned() } else { paths.join(" or ") }
    }

    /// The language of the part.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.parts.first()?.language.as_deref()
    }

    /// The part with its language.
    fn part_and_language(&self) -> String {
        let names: Vec<String> = self.parts.iter().map(PartName::with_language).collect();
        if names.is_empty() { self.part() } else { names.join(" or ") }
    }

    /// What was called in it.
    pub(super) fn entered(&self) -> String {
        let function = match (&self.function, &self.interface) {
            (Some(function), Some(interface)) => format!("`{function}` of {interface}"),
            (Some(function), None) => format!("`{function}`"),
            (None, Some(interface)) => format!("a function of {interface}"),
            (None, None) => String::new(),
        };
        match (self.role, function.is_empty()) {
            (Role::Function, true) => "a function that cannot be told".to_owned(),
            (Role::Function, false) => function,
            (Role::Start, _) => "its start".to_owned(),
            (Role::CleanUp, true) => "cleaning up".to_owned(),
            (Role::CleanUp, false) => format!("cleaning up after {function}"),
            (Role::MakeRoom, true) => "making room for a value".to_owned(),
            (Role::MakeRoom, false) => format!("making room for a value, for {function}"),
        }
    }
}

impl Blame {
    /// The parts on the way, outermost first: `storefront > orders > pricing`. Begins with `?` where it is not known who
    /// called the first.
    #[must_use]
    pub fn way(&self) -> String {
        let mut way = String::new();
        if self.begins == Beginning::Unknown {
            way.push('?');
        }
        for call in &self.path {
            if !way.is_empty() {
                way.push_str(" > ");
            }
            way.push_str(&call.part());
        }
        way
    }

    /// The innermost frames on one line; None where there are none.
    pub(crate) fn frames_in_line(&self) -> Option<String> {
        (!self.frames.is_empty()).then(|| listed(&self.frames, IN_ERROR).join("; "))
    }

    /// Everything that is known, on a page for a person. `behalf` says what the host was doing, such as `GET /cart`,
    /// and `id` is what the client was told, if there was one.
    #[must_use]
    pub fn page(&self, behalf: &str, id: Option<&str>) -> String {
        let mut page = String::new();
        let id = id.map(|id| format!("  {id}")).unwrap_or_default();
        let _ = writeln!(page, "── {}{id}", self.kind.name());
        let mut section = |name: &str, lines: &[String]| {
            let indent = if name == FRAMES { FURTHER } else { INDENT };
            for (number, line) in lines.iter().enumerate() {
                let head = if number == 0 { name } else { "" };
                wrapped(&mut page, head, line, indent);
            }
        };
        section("what", &self.what());
        section("part", &self.who());
        if let Some(at) = self.at() {
            section("function", &[at.entered()]);
        }
        if let Some(other) = self.both_sides() {
            section("both sides", &[other]);
        }
        section("on behalf of", &self.behalf(behalf));
        section(FRAMES, &self.trace());
        section("what next", &self.next());
        page
    }

    fn what(&self) -> Vec<String> {
        let mut lines = vec![self.kind.what().to_owned()];
        match self.kind {
            Kind::Limit(_) => lines.push(sentence(&self.reason)),
            _ => lines.push(format!("The reason: {}.", self.reason)),
        }
        if self.waiting {
            lines.push(format!("{}.", sentence(&self.state())));
        } else if let Some(function) = &self.host_function {
            lines.push(format!("It had called the host's {function}."));
        }
        if let Some(then) = &self.then {
            lines.push(format!("It then ended with: {then}."));
        }
        lines
    }

    /// What it was doing when its time was up.
    fn state(&self) -> String {
        match &self.host_function {
            Some(function) => format!("it was waiting in the host, in {function}"),
            None => "it was waiting in the host".to_owned(),
        }
    }

    fn who(&self) -> Vec<String> {
        let Some(at) = self.at() else {
            return vec!["cannot be told: no frame and no call of the host leads to one".to_owned()];
        };
        let mut lines: Vec<String> = at.parts.iter().map(described).collect();
        if at.parts.len() > 1 {
            lines.push("These are instances of one component, which look alike in a frame, and the wires between the parts do not tell which of them it was.".to_owned());
        }
        if self.coarse {
            lines.push(MAY_HIDE.to_owned());
        }
        lines
    }

    fn both_sides(&self) -> Option<String> {
        let other = self.other.as_ref()?;
        let at = self.at()?.part();
        let them = format!("{}, {}", other.call.part_and_language(), other.call.entered());
        Some(match other.relation {
            Relation::Gave => format!(
                "{them}, gave {at} a value for which {at} had no room. Either the value is too large, or the room too small."
            ),
            Relation::Passed => format!(
                "The value passed between {at} and {them}. The engine does not say which way: an argument is the fault of {at}, a result that of {}.",
                other.call.part()
            ),
            Relation::Kept => format!("{at} lent it to {them}, and that did not give it back."),
            Relation::HostTook => format!("The host was taking the answer of {at}."),
            Relation::HostGave => format!(
                "The host gave {at} a value for which it had no room. Either the value is too large, or the room too small."
            ),
        })
    }

    fn behalf(&self, behalf: &str) -> Vec<String> {
        let mut lines = vec![behalf.to_owned()];
        if self.cut {
            lines.push(format!("(only the innermost {} frames were kept: what is before them follows from the wires, or is not known)", self.frames.len()));
        }
        let mut caller = "the host".to_owned();
        match self.begins {
            Beginning::Unknown => caller = "a caller that is not known".to_owned(),
            Beginning::Wired(calls) if calls > 0 && !self.cut => {
                let what = if calls == 1 { "the call".to_owned() } else { format!("the {calls} calls") };
                lines.push(format!("(an asynchronous call leaves no frame of its caller: {what} before it follow{} from the wires between the parts)", if calls == 1 { "s" } else { "" }));
            }
            _ => {}
        }
        if self.begins == Beginning::Unknown && !self.cut {
            lines.push(UNKNOWN_CALLER.to_owned());
        }
        for call in &self.path {
            lines.push(format!("{caller} called {}, {}", call.part_and_language(), call.entered()));
            caller = call.part();
        }
        lines
    }

    fn trace(&self) -> Vec<String> {
        if self.frames.is_empty() {
            return vec!["none: it was not running when this happened".to_owned()];
        }
        let mut lines = vec!["innermost first".to_owned()];
        lines.extend(listed(&self.frames, ON_PAGE));
        lines.extend(self.interpreted());
        lines
    }

    /// What frames of an interpreted language can tell.
    fn interpreted(&self) -> Option<String> {
        let language = self.at()?.language()?;
        matches!(language, "JavaScript" | "Python").then(|| {
            format!("The frames in {} are those of the {language} engine inside it: which line of {language} was running, the host cannot see.", self.at().map(Call::part).unwrap_or_default())
        })
    }

    fn next(&self) -> Vec<String> {
        let mut lines = vec![self.kind.next().to_owned()];
        if self.kind == Kind::GaveUp {
            lines.extend(self.at().and_then(again));
        }
        if self.kind == Kind::GaveUp
            && let Some(language) = self.at().and_then(Call::language)
            && matches!(language, "JavaScript" | "Python")
        {
            lines.push(format!("In {language} this is how an exception ends that nobody catches: its message goes to standard error."));
        } else if self.kind == Kind::GaveUp {
            lines.push("Where nothing was printed, the frames above say where.".to_owned());
        }
        if let Some(origin) = self.at().and_then(|at| at.parts.first()?.origin.as_ref()) {
            lines.push(format!("The part was composed from {origin} (so the link map says)."));
        }
        lines
    }
}

/// For errors: the part, the way, the other side and the innermost frames.
impl Display for Blame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.waiting {
            write!(f, "\n  {}", self.state())?;
        }
        if let Some(then) = &self.then {
            write!(f, "\n  it then ended with: {then}")?;
        }
        if let Some(at) = self.at() {
            write!(f, "\n  in {}, {}", at.part_and_language(), at.entered())?;
        }
        if self.path.len() > 1 {
            write!(f, "\n  called by way of {}", self.way())?;
        }
        if self.begins == Beginning::Unknown && !self.cut {
            write!(f, "\n  {UNKNOWN_CALLER}")?;
        }
        if let Some(other) = self.both_sides() {
            write!(f, "\n  {other}")?;
        }
        listed(&self.frames, IN_ERROR).iter().try_for_each(|line| write!(f, "\n    {line}"))?;
        if self.coarse && !self.frames.is_empty() { write!(f, "\n  {MAY_HIDE}") } else { Ok(()) }
    }
}

/// How to see the failure of a function again.
fn again(call: &Call) -> Option<String> {
    let (Some(function), Role::Function) = (&call.function, call.role) else { return None };
    let interface = call.interface.as_deref();
    let is_of = |package: &str| interface.is_some_and(|interface| interface.starts_with(package));
    if is_of("wasi:http/") {
        // A request cannot be written in a call.
        Some("To see it again: `host-runner serve --stdio FILE`, and the same request.".to_owned())
    } else if is_of("wasi:cli/run@") {
        Some("To see it again: `host-runner run --stdio FILE`.".to_owned())
    } else if !call.from_text {
        // Nor can a handle.
        None
    } else {
        let name = interface.map_or_else(|| function.clone(), |it| format!("{it}#{function}"));
        Some(format!("To see it alone: `host-runner call --stdio FILE '{name}(…)'`, with what it was given."))
    }
}

fn described(part: &PartName) -> String {
    let language = part.language.as_ref().map(|language| format!(", written in {language}"));
    let tool = part.tool.as_ref().map(|tool| format!(" ({tool})"));
    format!("{}{}{}", part.short(), language.unwrap_or_default(), tool.unwrap_or_default())
}

/// One line a frame; what repeats is counted, also where several frames in turn do.
fn listed(frames: &[Frame], most: usize) -> Vec<String> {
    let all: Vec<String> = frames.iter().map(shown).collect();
    // Each with the number of frames that it stands for.
    let mut lines: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let (period, times) = repeated(&all[at..]);
        let block = all[at..at + period].iter().zip(at..);
        if period == 1 && times > 1 {
            lines.push((format!("{at}: {}, {times} times", all[at]), times));
        } else {
            lines.extend(block.map(|(line, number)| (format!("{number}: {line}"), 1)));
        }
        if period > 1 {
            lines.push((format!("(these {period}, {times} times)"), period * (times - 1)));
        }
        at += period * times;
    }
    let more: usize = lines.iter().skip(most).map(|(_, frames)| frames).sum();
    let mut shown: Vec<String> = lines.into_iter().take(most).map(|(line, _)| line).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown
}

/// How many of the first lines repeat, and how often they are there. Two lines or more have to be there three times, or
/// a page would be no shorter for it.
fn repeated(lines: &[String]) -> (usize, usize) {
    let times = |period: usize| {
        let (block, rest) = lines.split_at(period);
        1 + rest.chunks_exact(period).take_while(|next| *next == block).count()
    };
    (1..=LONGEST_CYCLE.min(lines.len()))
        .map(|period| (period, times(period)))
        .find(|&(period, times)| times > if period == 1 { 1 } else { 2 })
        .unwrap_or((1, 1))
}

fn shown(frame: &Frame) -> String {
    let part = match frame.parts.join(" or ") {
        path if path.is_empty() => String::new(),
        path => format!("{path}: "),
    };
    let at = frame.offset.map(|offset| format!(" at {offset:#x}")).unwrap_or_default();
    let source = frame.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
    format!("{part}{}{at}{source}", frame.function)
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => format!("{}{}", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}

/// Writes a paragraph beside its heading. What does not fit in a line goes on under the indent.
fn wrapped(page: &mut String, head: &str, text: &str, indent: &str) {
    let mut line = format!("{head:<width$}", width = INDENT.len());
    let mut empty = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + usize::from(!empty) + word.chars().count();
        if length > WIDTH && !empty {
            page.push_str(line.trim_end());
            page.push('\n');
            line = indent.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    page.push_str(line.trim_end());
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blame::{Index, Scene};

    #[test]
    fn a_page_says_where_inlining_may_hide_a_part() {
        let bytes = wat::parse_str("(component (core module $m) (core instance (instantiate $m)))").unwrap();
        let index = Index::of(&bytes);
        let mut scene = Scene { index: &index, called: None, trace: None, coarse: true, concurrent: false };
        // Nothing is known of a guest without frames that nobody called.
        assert!(Blame::silent(&scene).page("a test", None).contains("part          cannot be told"));
        let call = Call {
            from_text: true,
            parts: vec![PartName {
                path: "rules".into(),
                language: Some("Zig".into()),
                tool: Some("zig 0.17.0".into()),
                origin: None,
                stub: false,
            }],
            interface: None,
            function: Some("adjust".into()),
            role: Role::Function,
        };
        let page = |scene: &Scene<'_>| {
            let mut blame = Blame::silent(scene);
            blame.path = vec![call.clone()];
            blame.page("GET /", Some("1234"))
        };
        let coarse = page(&scene);
        assert!(coarse.starts_with("── no-answer  1234\n"), "{coarse}");
        assert!(coarse.contains("part          rules, written in Zig (zig 0.17.0)\n"), "{coarse}");
        assert!(coarse.contains("a frame may hide"), "{coarse}");
        let mut with_frame = Blame::silent(&scene);
        with_frame.frames = vec![Frame { parts: vec![], function: "f".into(), source: None, offset: None }];
        assert!(with_frame.to_string().contains("a frame may hide"));
        scene.coarse = false;
        assert!(!page(&scene).contains("a frame may hide"));
    }

    #[test]
    fn frames_that_repeat_are_counted() {
        let frame = |name: &str| Frame {
            parts: vec!["rules".into()],
            function: name.into(),
            source: None,
            offset: Some(16),
        };
        let frames = [frame("a"), frame("b"), frame("b"), frame("b"), frame("c"), frame("d"), frame("d")];
        assert_eq!(
            listed(&frames, 3),
            ["0: rules: a at 0x10", "1: rules: b at 0x10, 3 times", "4: rules: c at 0x10", "and 2 more"]
        );
        let circle = [&["z"][..], &["a", "b"].repeat(4), &["a"]].concat();
        let circle: Vec<Frame> = circle.into_iter().map(frame).collect();
        assert_eq!(
            listed(&circle, 9),
            [
                "0: rules: z at 0x10",
                "1: rules: a at 0x10",
                "2: rules: b at 0x10",
                "(these 2, 4 times)",
                "9: rules: a at 0x10"
            ]
        );
        assert_eq!(listed(&circle, 2), ["0: rules: z at 0x10", "1: rules: a at 0x10", "and 8 more"]);
    }
}
