//! From frames to calls: where the frames change from part to part, a call went from one to the other.

use std::collections::BTreeSet;

use wasmtime::{FrameInfo, WasmBacktrace};

use super::frames::{Found, Place};
use super::index::Index;
use super::{Beginning, Blame, Call, Called, FRAMES, Kind, Other, Relation, Role, Scene};

/// Frames that follow each other in one part.
struct Stay {
    parts: Vec<usize>,
    /// The frames, as indices into those of the backtrace: the innermost, and the one by which the part was entered.
    inner: usize,
    outer: usize,
    entry: Entry,
}

/// By what a part was entered.
#[derive(Clone)]
struct Entry {
    interface: Option<String>,
    function: Option<String>,
    role: Role,
}

impl Entry {
    const UNKNOWN: Self = Self { interface: None, function: None, role: Role::Function };

    /// Reads it off the name of a core export, as toolchains give them.
    fn of(name: &str) -> Self {
        let name = name.strip_prefix("[callback]").unwrap_or(name);
        let name = name.strip_prefix("[async-lift]").unwrap_or(name);
        let name = name.strip_prefix("[async-lift-stackful]").unwrap_or(name);
        // What a linker puts around an export to start the program before.
        let name = name.strip_suffix(".command_export").unwrap_or(name);
        if is_realloc(name) || name == "realloc" {
            return Self { role: Role::MakeRoom, ..Self::UNKNOWN };
        }
        if matches!(name, "_initialize" | "_start" | "__wasm_call_ctors") {
            return Self { role: Role::Start, ..Self::UNKNOWN };
        }
        let (name, mut role) = match name.strip_prefix("cabi_post_") {
            Some(name) => (name, Role::CleanUp),
            None => (name, Role::Function),
        };
        let (interface, function) = match name.split_once('#') {
            Some((interface, function)) => (Some(interface.to_owned()), function),
            None => (None, name),
        };
        if function.starts_with("[dtor]") {
            role = Role::CleanUp;
        }
        Self { interface, function: Some(function.to_owned()), role }
    }

    fn call(&self, index: &Index, parts: &[usize]) -> Call {
        Call {
            parts: parts.iter().map(|&part| index.part(part).name.clone()).collect(),
            interface: self.interface.clone(),
            function: self.function.clone(),
            role: self.role,
            from_text: self.role == Role::Function
                && self.function.as_ref().is_some_and(|function| {
                    let interface = self.interface.as_deref();
                    parts.iter().all(|&part| index.can_be_called_from_text(part, interface, function))
                }),
        }
    }
}

/// Whether an export makes room for values that are passed. A part that is entered by `realloc` is so too, but calls
/// that itself as well.
fn is_realloc(name: &str) -> bool {
    matches!(name, "cabi_realloc" | "canonical_abi_realloc" | "cabi_import_realloc")
}

impl Blame {
    pub(super) fn new(scene: &Scene<'_>, kind: Kind, reason: String) -> Self {
        let found = look_up(scene.index, scene.trace);
        let mut blame = Self {
            kind,
            reason,
            path: Vec::new(),
            other: None,
            waiting: false,
            host_function: None,
            then: None,
            begins: Beginning::Seen,
            cut: found.len() >= FRAMES,
            frames: Vec::new(),
            coarse: scene.coarse,
        };
        let walk = Walk::new(scene, &found, blame.cut);
        if walk.stays.is_empty() {
            blame.seen_from_outside(scene, &walk);
        } else {
            blame.seen_from_within(scene, &walk);
        }
        blame.frames = found.into_iter().map(|found| found.shown).collect();
        blame
    }

    /// No frame tells: the host could not take the answer, or the guest is not on any stack. All that is known is what
    /// the host called.
    fn seen_from_outside(&mut self, scene: &Scene<'_>, walk: &Walk<'_>) {
        let Some(called) = scene.called else { return };
        let parts: Vec<usize> = scene.index.behind(called.outlet()).into_iter().collect();
        if parts.is_empty() {
            return;
        }
        let call = walk.entry_by_host(called).call(scene.index, &parts);
        if self.kind.is_about_a_value() || self.kind == Kind::Borrow {
            let nobody = Entry::UNKNOWN.call(scene.index, &[]);
            self.other = Some(Other { call: nobody, relation: Relation::HostTook });
        }
        self.path = vec![call];
    }

    fn seen_from_within(&mut self, scene: &Scene<'_>, walk: &Walk<'_>) {
        (self.path, self.begins) = walk.beginning(scene);
        self.path.extend(walk.stays.iter().map(|stay| stay.entry.call(scene.index, &stay.parts)));
        let Some(last) = walk.stays.last() else { return };
        let before = walk.stays.len().checked_sub(2).map(|index| &walk.stays[index]);
        self.other = match (last.entry.role, before) {
            _ if walk.in_adapter => {
                let relation = if self.kind == Kind::Borrow { Relation::Kept } else { Relation::Passed };
                let call = walk.called_by(last);
                Some(Other { call, relation })
            }
            // It made room for what the function that it had called answered.
            (Role::MakeRoom, Some(before)) if scene.index.look_alike(before.parts[0], last.parts[0]) => {
                let call = walk.called_by(before);
                // That it called itself is no step of the way.
                self.path.pop();
                Some(Other { call, relation: Relation::Gave })
            }
            // It made room for its arguments.
            (Role::MakeRoom, Some(before)) => {
                let call = before.entry.call(scene.index, &before.parts);
                Some(Other { call, relation: Relation::Gave })
            }
            (Role::MakeRoom, None) => Some(walk.host_gave()),
            (_, _) if walk.makes_room_within(last) => Some(walk.host_gave()),
            _ => None,
        };
        if !walk.in_adapter && last.inner == 0 {
            self.host_function = walk.import_of(last).and_then(|(import, function)| {
                let by_host =
                    last.parts.iter().all(|&part| scene.index.satisfied_by(part, &import).is_empty());
                let part = last.parts.first()?;
                let interface = scene.index.part(*part).implements.imported(&import);
                by_host.then(|| format!("{interface}#{function}"))
            });
        }
    }
}

fn look_up(index: &Index, trace: Option<&WasmBacktrace>) -> Vec<Found> {
    let frames = trace.map(WasmBacktrace::frames).unwrap_or_default();
    let mut found: Vec<Found> = frames.iter().map(|frame| Found::look_up(index, frame)).collect();
    // Where a function checks its stack it has no offset: it is of the part that another frame of its module is of.
    for number in
        (0..found.len()).filter(|&number| frames[number].module_offset().is_none()).collect::<Vec<_>>()
    {
        let same = |other: &usize| is_same_module(&frames[number], &frames[*other]);
        let known = |other: &usize| matches!(found[*other].place, Place::Parts(_));
        if let Some(other) = (0..found.len()).filter(known).find(same) {
            let (parts, shown) = match &found[other].place {
                Place::Parts(parts) => (parts.clone(), found[other].shown.parts.clone()),
                Place::Adapter | Place::Unknown => continue,
            };
            found[number].place = Place::Parts(parts);
            found[number].shown.parts = shown;
        }
    }
    found
}

/// Whether two frames are of one module: then the names of its exports are the same in memory, not only alike.
fn is_same_module(one: &FrameInfo, other: &FrameInfo) -> bool {
    let first = |frame: &FrameInfo| frame.module().exports().next().map(|export| export.name().as_ptr());
    first(one).is_some() && first(one) == first(other)
}

struct Walk<'a> {
    index: &'a Index,
    found: &'a [Found],
    /// From the outermost to the innermost.
    stays: Vec<Stay>,
    /// Whether the innermost frame is the engine's, on the way from one part to another.
    in_adapter: bool,
    /// Whether the host made the call of the outermost frame.
    first: First,
}

/// Who made the call with which the frames begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// The host.
    Host,
    /// A part, asynchronously, or whoever is beyond the frames that were kept.
    Other,
    /// One of both.
    Either,
}

impl<'a> Walk<'a> {
    fn new(scene: &Scene<'a>, found: &'a [Found], cut: bool) -> Self {
        let mut walk =
            Self { index: scene.index, found, stays: Vec::new(), in_adapter: false, first: First::Host };
        for (number, frame) in found.iter().enumerate().rev() {
            match &frame.place {
                Place::Adapter => walk.in_adapter = true,
                Place::Unknown => {}
                Place::Parts(parts) => {
                    let crossed = std::mem::take(&mut walk.in_adapter);
                    match walk.stays.last_mut() {
                        Some(stay) if stay.parts == *parts && !crossed => stay.inner = number,
                        _ => walk.stays.push(Stay {
                            parts: parts.clone(),
                            inner: number,
                            outer: number,
                            entry: Entry::UNKNOWN,
                        }),
                    }
                }
            }
        }
        walk.first = walk.first_caller(scene, cut);
        walk.name_entries(scene, cut);
        walk.narrow(scene);
        walk
    }

    /// Who made the call of the outermost frame: the host, where it is of a part behind the export that the host called.
    ///
    /// Of parts that look alike, those go that nothing behind that export can call.
    fn first_caller(&mut self, scene: &Scene<'_>, cut: bool) -> First {
        if cut {
            return First::Other;
        }
        let (Some(called), Some(first)) = (scene.called, self.stays.first_mut()) else { return First::Host };
        let behind = self.index.behind(called.outlet());
        let reachable = self.index.reachable(&behind);
        keep(&mut first.parts, |part| reachable.contains(&part));
        let known = first.parts.iter().filter(|part| behind.contains(part)).count();
        if behind.is_empty() || known == first.parts.len() {
            First::Host
        } else if known == 0 {
            First::Other
        } else if scene.concurrent {
            First::Either
        } else {
            First::Host
        }
    }

    /// Finds out by which function each part was entered.
    fn name_entries(&mut self, scene: &Scene<'_>, cut: bool) {
        for number in 0..self.stays.len() {
            if number == 0 && cut {
                // Its outermost frame is somewhere in its middle.
                continue;
            }
            let frame = &self.found[self.stays[number].outer];
            let named = frame.export.as_deref().or(frame.raw.as_deref());
            let mut entry = named.map_or(Entry::UNKNOWN, Entry::of);
            if number == 0 && self.first != First::Host {
                // The name of a core export is the guest's to choose. That of something else says nothing.
                let parts = &self.stays[0].parts;
                let offered = |name: &str| parts.iter().any(|&part| self.index.is_offered(part, name));
                if entry.role == Role::Function && !entry.interface.as_deref().is_some_and(offered) {
                    entry = Entry::UNKNOWN;
                }
            } else if number == 0 {
                entry = match (entry.role, scene.called) {
                    (Role::Function, None) => Entry { role: Role::Start, ..Entry::UNKNOWN },
                    (role @ (Role::Function | Role::MakeRoom), Some(called)) => {
                        Entry { role, ..self.entry_by_host(called) }
                    }
                    _ => entry,
                };
            }
            self.stays[number].entry = entry;
        }
    }

    fn entry_by_host(&self, called: &Called) -> Entry {
        Entry {
            interface: called.interface.clone(),
            function: Some(called.function.clone()),
            role: Role::Function,
        }
    }

    /// Of parts that look alike, leaves those out that the wires rule out.
    fn narrow(&mut self, scene: &Scene<'_>) {
        if let (Some(called), Some(first), First::Host) = (scene.called, self.stays.first_mut(), self.first) {
            let behind = self.index.behind(called.outlet());
            keep(&mut first.parts, |part| behind.contains(&part));
        }
        // Forth and back: what a call rules out on one side may rule out something before it.
        let calls = 1..self.stays.len();
        for number in calls.clone().chain(calls.clone().rev()) {
            self.narrow_call(number);
        }
        calls.for_each(|number| self.name_by_wires(number));
    }

    /// The same for one call, from the stay before.
    fn narrow_call(&mut self, number: usize) {
        let (before, after) = self.stays.split_at_mut(number);
        let (before, after) = (&mut before[number - 1], &mut after[0]);
        if after.entry.role == Role::MakeRoom && self.index.look_alike(before.parts[0], after.parts[0]) {
            // For the answer to its own call.
            after.parts.clone_from(&before.parts);
            return;
        }
        let wired = |interface: Option<&str>| -> Vec<(usize, usize)> {
            pairs(&before.parts, &after.parts)
                .filter(|&(from, to)| match interface {
                    Some(interface) => self.index.is_wired(from, to, interface),
                    None => self.index.used_by(from).contains(&to),
                })
                .collect()
        };
        let mut calls = wired(after.entry.interface.as_deref());
        if calls.is_empty() {
            // The name of a core export is the guest's to choose. This one is not of what it is wired by.
            after.entry = Entry { role: after.entry.role, ..Entry::UNKNOWN };
            calls = wired(None);
        }
        keep(&mut before.parts, |part| calls.iter().any(|(from, _)| *from == part));
        keep(&mut after.parts, |part| calls.iter().any(|(_, to)| *to == part));
    }

    /// A function whose core export does not say its interface: where the caller has only one from that part, it is
    /// that one.
    fn name_by_wires(&mut self, number: usize) {
        let (before, after) = (&self.stays[number - 1], &self.stays[number]);
        if after.entry.role != Role::Function || after.entry.interface.is_some() {
            return;
        }
        let shared: BTreeSet<&str> = pairs(&before.parts, &after.parts)
            .flat_map(|(from, to)| self.index.interfaces(from, to))
            .collect();
        // By the shim through which the caller went, if there is one.
        if let Some((import, function)) =
            self.import_of(before).filter(|(import, _)| shared.contains(&**import))
        {
            self.stays[number].entry.interface = Some(import);
            self.stays[number].entry.function = Some(function);
            return;
        }
        let only = shared.into_iter().map(str::to_owned).collect::<Vec<_>>();
        if let [only] = &*only
            && only.contains('/')
        {
            self.stays[number].entry.interface = Some(only.clone());
        }
    }

    /// The import that the innermost frame of a stay is about to call, if that frame is a shim of wit-component's. Those
    /// are given to the program under the import's names, and may have them in their own.
    fn import_of(&self, stay: &Stay) -> Option<(String, String)> {
        let frame = &self.found[stay.inner];
        let imports = &self.index.part(*stay.parts.first()?).imports;
        if let Some((interface, function)) = &frame.import
            && imports.contains(interface)
        {
            return Some((interface.clone(), function.clone()));
        }
        let name = frame.raw.as_deref()?.strip_prefix("indirect-")?;
        imports.iter().find_map(|import| {
            let function = name.strip_prefix(&**import)?.strip_prefix('-')?;
            Some((import.clone(), function.to_owned()))
        })
    }

    /// Whom the innermost frame of a stay has called.
    fn called_by(&self, stay: &Stay) -> Call {
        let import = self.import_of(stay);
        let parts: BTreeSet<usize> = stay
            .parts
            .iter()
            .flat_map(|&part| match &import {
                Some((import, _)) => self.index.satisfied_by(part, import),
                None => self.index.used_by(part),
            })
            .collect();
        let parts: Vec<usize> = parts.into_iter().collect();
        let entry = match import {
            Some((interface, function)) => {
                Entry { interface: Some(interface), function: Some(function), role: Role::Function }
            }
            None => {
                let shared: BTreeSet<&str> = pairs(&stay.parts, &parts)
                    .flat_map(|(from, to)| self.index.interfaces(from, to))
                    .collect();
                let only =
                    (shared.len() == 1).then(|| shared.first().map(|name| (*name).to_owned())).flatten();
                match only {
                    Some(interface) if interface.contains('/') => {
                        Entry { interface: Some(interface), ..Entry::UNKNOWN }
                    }
                    function => Entry { function, ..Entry::UNKNOWN },
                }
            }
        };
        entry.call(self.index, &parts)
    }

    fn host_gave(&self) -> Other {
        Other { call: Entry::UNKNOWN.call(self.index, &[]), relation: Relation::HostGave }
    }

    /// Whether a part is making room in the middle of a stay: for what the host answers.
    fn makes_room_within(&self, stay: &Stay) -> bool {
        self.found[stay.inner..stay.outer].iter().any(|frame| frame.export.as_deref().is_some_and(is_realloc))
    }

    /// The calls before the outermost frame, and how they are known: by the wires, where there is only one way.
    fn beginning(&self, scene: &Scene<'_>) -> (Vec<Call>, Beginning) {
        if self.first == First::Host {
            return (Vec::new(), Beginning::Seen);
        }
        let unknown = (Vec::new(), Beginning::Unknown);
        let (Some(called), Some(first), First::Other) = (scene.called, self.stays.first(), self.first) else {
            return unknown;
        };
        let behind = self.index.behind(called.outlet());
        let (Some(&from), 1, [to]) = (behind.first(), behind.len(), &*first.parts) else { return unknown };
        let Some(way) = self.index.only_way(from, *to) else { return unknown };
        let before = way[..way.len() - 1].iter().enumerate().map(|(number, &part)| {
            let entry = match number.checked_sub(1) {
                None => self.entry_by_host(called),
                Some(caller) => Entry {
                    interface: self.only_interface(way[caller], part).map(str::to_owned),
                    ..Entry::UNKNOWN
                },
            };
            entry.call(self.index, &[part])
        });
        let before: Vec<Call> = before.collect();
        let begins = Beginning::Wired(before.len());
        (before, begins)
    }

    /// The interface that one part imports from another, where it imports one only.
    fn only_interface(&self, from: usize, to: usize) -> Option<&'a str> {
        let interfaces = self.index.interfaces(from, to);
        let only = (interfaces.len() == 1).then(|| interfaces.first().copied()).flatten();
        only.filter(|name| name.contains('/'))
    }
}

/// Leaves only what passes, unless nothing does.
fn keep(parts: &mut Vec<usize>, passes: impl Fn(usize) -> bool) {
    if parts.iter().any(|&part| passes(part)) {
        parts.retain(|&part| passes(part));
    }
}

fn pairs<'a>(one: &'a [usize], other: &'a [usize]) -> impl Iterator<Item = (usize, usize)> + 'a {
    one.iter().flat_map(move |&from| other.iter().map(move |&to| (from, to)))
}
