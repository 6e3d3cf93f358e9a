//! Finds out which part is wired to what, by instantiating the definitions on paper.
//!
//! Every component that runs no code of its own is followed inwards: what it instantiates, and how it
//! passes its imports on. A component that does run code is a part, and what is inside it is its own affair. Values
//! are what may stand for an instance, a function or a component while this goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use sha2::{Digest, Sha256};
use wasmparser::ComponentExternalKind as Kind;

use crate::bound::Bound;
use crate::error::ReadError;
use crate::limits::Limits;
use crate::model::{Component, Edge, Implements, Inner, Outlet, Part, Source, Types};
use crate::producers::{language, printable, toolchain};
use crate::scan::{Definition, Face, Import, Reference, Step, slot};

#[derive(Clone)]
enum Value<'a> {
    /// An import of the whole, or something inside one.
    Host(&'a str),
    /// A part, as an instance.
    Part(usize),
    /// An export of a part, or something inside one.
    PartExport(usize, &'a str),
    /// An instance made of items.
    Bag(Rc<Bag<'a>>),
    /// A component that can be instantiated: where it is defined, and in which scope.
    Component { definition: usize, scope: Option<usize> },
    /// What leads nowhere: a type, a function of the composition itself.
    Nothing,
}

struct Bag<'a> {
    items: BTreeMap<&'a str, (Kind, Value<'a>)>,
    /// How deep bags are nested in it: bounded, since dropping and flattening go in as deep.
    depth: u32,
}

/// The components that can be seen from within an instance of a component, through outer aliases.
struct Scope<'a> {
    parent: Option<usize>,
    components: Vec<Value<'a>>,
}

/// Links the definitions of `bytes`, of which the first is the whole. Digests are left empty where they are not `wanted`.
pub(crate) fn link(
    bytes: &[u8],
    definitions: &[Definition<'_>],
    limits: &Limits,
    wanted: bool,
) -> Result<Component, ReadError> {
    let root = &definitions[0];
    let mut linker = Linker::new(bytes, definitions, limits);
    linker.digests = wanted.then(HashMap::new);
    let host = root.imports.iter().map(|import| (import.name, Value::Host(import.name))).collect();
    let mut outlets = Vec::new();
    if !root.runs {
        let exports = linker.instantiate(0, None, &host, &[])?;
        for name in &root.exports {
            let mut from = BTreeSet::new();
            if let Some((_, value)) = exports.items.get(name) {
                linker.flatten(value, &mut from)?;
            }
            outlets.push(Outlet { export: (*name).to_owned(), from: from.into_iter().collect() });
        }
    }
    if linker.parts.is_empty() {
        outlets.clear();
        linker.itself(&host)?;
        outlets.extend(root.exports.iter().map(|name| Outlet {
            export: (*name).to_owned(),
            from: vec![Source::Part { part: 0, export: Some((*name).to_owned()) }],
        }));
    }
    // What is handed to a part after it was made comes late.
    linker.edges.sort_by_key(|edge| edge.part);
    let digest = linker.digest(0);
    let naming = root.imports.iter().filter(|import| import.names_only());
    Ok(Component {
        name: root.name.map(printable),
        bytes: bytes.len() as u64,
        digest,
        imports: imports(root),
        naming: naming.map(|import| import.name.to_owned()).collect(),
        exports: owned(&root.exports),
        types: Types { imports: owned(&root.types[0]), exports: owned(&root.types[1]) },
        implements: implements(root),
        parts: linker.parts,
        edges: linker.edges,
        outlets,
        compositions: linker.compositions,
        sizes: root.sizes,
        link_map: root.link_map.clone(),
    })
}

/// Instantiates the definitions of `bytes` with all that is within them, parts included, to count what comes of it: instances,
/// and items of components.
pub(crate) fn count(
    bytes: &[u8],
    definitions: &[Definition<'_>],
    limits: &Limits,
    [instances, items]: [Bound; 2],
) -> Result<(), ReadError> {
    let mut linker = Linker::new(bytes, definitions, limits);
    linker.counted = Some(Counted { instances, items, made: 0 });
    let root = &definitions[0];
    let host = root.imports.iter().map(|import| (import.name, Value::Host(import.name))).collect();
    linker.instantiate(0, None, &host, &[]).map(drop)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn imports(definition: &Definition<'_>) -> Vec<String> {
    definition.imports.iter().map(|import| import.name.to_owned()).collect()
}

fn implements(definition: &Definition<'_>) -> Implements {
    let [imports, exports] = [0, 1].map(|side: usize| {
        definition.implements[side].iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect()
    });
    Implements { imports, exports }
}

impl Import<'_> {
    fn names_only(&self) -> bool {
        self.face.is_some_and(|face| face.names_only)
    }
}

struct Linker<'a, 'd> {
    bytes: &'a [u8],
    definitions: &'d [Definition<'a>],
    limits: &'d Limits,
    steps: u32,
    most_steps: u32,
    depth: u32,
    scopes: Vec<Scope<'a>>,
    /// Those that are known already; None where nobody wants any.
    digests: Option<HashMap<usize, String>>,
    parts: Vec<Part>,
    edges: Vec<Edge>,
    compositions: Vec<Inner>,
    /// None where the wiring is wanted, and parts are not looked into.
    counted: Option<Counted>,
}

/// What comes of a component when it is instantiated, and how much may.
struct Counted {
    instances: Bound,
    items: Bound,
    made: u64,
}

type Arguments<'a> = HashMap<&'a str, Value<'a>>;

impl<'a, 'd> Linker<'a, 'd> {
    fn new(bytes: &'a [u8], definitions: &'d [Definition<'a>], limits: &'d Limits) -> Self {
        Self {
            bytes,
            definitions,
            limits,
            steps: 0,
            most_steps: limits.steps_for(bytes.len()),
            depth: 0,
            scopes: Vec::new(),
            digests: None,
            parts: Vec::new(),
            edges: Vec::new(),
            compositions: Vec::new(),
            counted: None,
        }
    }

    /// Counts an instance of a component and the core instances that it makes, where they are counted.
    fn made(&mut self, body: &Definition<'_>) -> Result<(), ReadError> {
        let Some(counted) = &mut self.counted else { return Ok(()) };
        counted.made = counted.made.saturating_add(1 + u64::from(body.core_instances));
        counted.instances.check(counted.made, body.range.start as u64)
    }

    /// Instantiates a component that runs no code, and answers with its exports.
    fn instantiate(
        &mut self,
        definition: usize,
        parent: Option<usize>,
        arguments: &Arguments<'a>,
        path: &[String],
    ) -> Result<Rc<Bag<'a>>, ReadError> {
        let definitions = self.definitions;
        let body = &definitions[definition];
        self.depth += 1;
        if self.depth > self.limits.component_depth {
            let (offset, limit) = (body.range.start as u64, self.limits.component_depth);
            return Err(ReadError::TooDeep { offset, what: "instances", limit });
        }
        self.made(body)?;
        let scope = self.scopes.len();
        self.scopes.push(Scope { parent, components: Vec::new() });
        let mut spaces: [Vec<Value<'a>>; 6] = Default::default();
        let mut exports = BTreeMap::new();
        let mut taken = HashMap::new();
        for step in &body.steps {
            self.step(1, body)?;
            let (kind, value) = match step {
                Step::Import { kind, name } => {
                    (*kind, arguments.get(name).cloned().unwrap_or(Value::Nothing))
                }
                Step::Local { kind, count } => {
                    self.step(*count, body)?;
                    let space = &mut spaces[slot(*kind)];
                    space.resize(space.len() + *count as usize, Value::Nothing);
                    continue;
                }
                Step::Alias { kind, instance, name } => {
                    (*kind, member(&spaces[slot(Kind::Instance)][*instance as usize], name))
                }
                Step::Embed { definition } => {
                    (Kind::Component, Value::Component { definition: *definition, scope: Some(scope) })
                }
                Step::OuterComponent { count, index } => (Kind::Component, self.outer(scope, *count, *index)),
                Step::Export { item } => {
                    let value = spaces[slot(item.kind)][item.index as usize].clone();
                    exports.insert(item.name, (item.kind, value.clone()));
                    (item.kind, value)
                }
                Step::Bag { items } => {
                    self.step(items.len() as u32, body)?;
                    (Kind::Instance, Value::Bag(self.bag(pick(items, &spaces).collect(), body)?))
                }
                Step::Instantiate { component, arguments } => {
                    self.step(arguments.len() as u32, body)?;
                    let index = spaces[slot(Kind::Instance)].len() as u32;
                    let component = spaces[slot(Kind::Component)][*component as usize].clone();
                    let arguments: Arguments<'a> =
                        pick(arguments, &spaces).map(|(name, (_, value))| (name, value)).collect();
                    let name = || self.instance_name(body, index, &component);
                    let value = match &component {
                        Value::Component { definition, scope } if self.counted.is_some() => {
                            Value::Bag(self.instantiate(*definition, *scope, &arguments, &[])?)
                        }
                        Value::Component { definition, scope } => {
                            let (definition, scope) = (*definition, *scope);
                            let path = below(path, unique(name(), &mut taken));
                            if definitions[definition].runs {
                                self.part(definition, path, &arguments)?
                            } else {
                                Value::Bag(self.inner(definition, scope, &arguments, path)?)
                            }
                        }
                        // A component that a part exports: what its instance is given, the part has.
                        Value::Part(part) | Value::PartExport(part, _) => {
                            for (name, value) in sorted(&arguments) {
                                self.wire(*part, &Import { name, face: None }, value)?;
                            }
                            component
                        }
                        // A component that was imported: whoever gives it answers for its instances.
                        Value::Host(_) | Value::Bag(_) | Value::Nothing => component,
                    };
                    (Kind::Instance, value)
                }
            };
            if kind == Kind::Component {
                self.scopes[scope].components.push(value.clone());
            }
            spaces[slot(kind)].push(value);
        }
        self.depth -= 1;
        self.bag(exports, body)
    }

    /// Adds an instance of a component that runs code.
    fn part(
        &mut self,
        definition: usize,
        path: Vec<String>,
        arguments: &Arguments<'a>,
    ) -> Result<Value<'a>, ReadError> {
        let body = &self.definitions[definition];
        let offset = body.range.start as u64;
        if self.parts.len() >= self.limits.parts as usize {
            return Err(ReadError::TooMany { offset, what: "parts", limit: self.limits.parts });
        }
        let language = language(&body.producers, &body.module_producers);
        let toolchain = toolchain(&body.producers, &body.module_producers, language.as_deref());
        // All that is kept of a part: it may be instantiated again and again.
        let labels = body.implements.iter().flatten().flat_map(|(name, interface)| [*name, *interface]);
        let names = body.imports.iter().map(|import| import.name).chain(body.exports.iter().copied());
        let names = names.chain(labels);
        let tools = toolchain.iter().flat_map(|tool| [&*tool.name, &*tool.version]);
        for name in names.chain(tools).chain(path.iter().map(String::as_str)) {
            self.step(cost(name), body)?;
        }
        let part = self.parts.len();
        let digest = self.digest(definition);
        self.parts.push(Part {
            name: path.last().cloned().unwrap_or_default(),
            path,
            toolchain,
            language,
            offset,
            bytes: body.range.len() as u64,
            digest,
            sizes: body.sizes,
            imports: imports(body),
            exports: owned(&body.exports),
            implements: implements(body),
        });
        for import in &body.imports {
            if let Some(value) = arguments.get(import.name) {
                self.wire(part, import, value)?;
            }
        }
        Ok(Value::Part(part))
    }

    /// Adds what satisfies an import of a part.
    fn wire(&mut self, part: usize, import: &Import<'a>, value: &Value<'a>) -> Result<(), ReadError> {
        let mut sources = BTreeSet::new();
        self.flatten(value, &mut sources)?;
        self.edges.extend(sources.into_iter().map(|from| Edge {
            part,
            import: import.name.to_owned(),
            from,
            functions: import.face.map(|face: Face| face.functions),
            types_only: import.names_only(),
        }));
        Ok(())
    }

    /// Instantiates a component that runs no code: a composition, if there turn out to be parts in it.
    fn inner(
        &mut self,
        definition: usize,
        scope: Option<usize>,
        arguments: &Arguments<'a>,
        path: Vec<String>,
    ) -> Result<Rc<Bag<'a>>, ReadError> {
        let (parts, place) = (self.parts.len(), self.compositions.len());
        let exports = self.instantiate(definition, scope, arguments, &path)?;
        if self.parts.len() > parts {
            let range = &self.definitions[definition].range;
            let (offset, bytes) = (range.start as u64, range.len() as u64);
            if self.compositions.len() >= self.limits.parts as usize {
                let limit = self.limits.parts;
                return Err(ReadError::TooMany { offset, what: "compositions in the composition", limit });
            }
            for name in &path {
                self.step(cost(name), &self.definitions[definition])?;
            }
            let digest = self.digest(definition);
            self.compositions.insert(place, Inner { path, offset, bytes, digest });
        }
        Ok(exports)
    }

    /// The whole as its own single part.
    fn itself(&mut self, host: &Arguments<'a>) -> Result<(), ReadError> {
        let name = self.definitions[0].name.map_or_else(|| "component".to_owned(), printable);
        self.part(0, vec![name], host)?;
        Ok(())
    }

    /// Where a value comes from.
    ///
    /// Types in a bag count only where there is nothing else in it: an interface of functions that mentions the
    /// types of another one does not come from there.
    fn flatten(&mut self, value: &Value<'a>, into: &mut BTreeSet<Source>) -> Result<(), ReadError> {
        let body = &self.definitions[0];
        match value {
            Value::Host(name) | Value::PartExport(_, name) => self.step(cost(name), body)?,
            _ => self.step(1, body)?,
        }
        match value {
            Value::Host(import) => {
                into.insert(Source::Host { import: (*import).to_owned() });
            }
            Value::Part(part) => {
                into.insert(Source::Part { part: *part, export: None });
            }
            Value::PartExport(part, export) => {
                into.insert(Source::Part { part: *part, export: Some((*export).to_owned()) });
            }
            Value::Bag(bag) => {
                let types = bag.items.values().all(|(kind, _)| *kind == Kind::Type);
                for (kind, item) in bag.items.values() {
                    if types || *kind != Kind::Type {
                        self.flatten(item, into)?;
                    }
                }
            }
            Value::Component { .. } | Value::Nothing => {}
        }
        Ok(())
    }

    fn bag(
        &self,
        items: BTreeMap<&'a str, (Kind, Value<'a>)>,
        body: &Definition<'_>,
    ) -> Result<Rc<Bag<'a>>, ReadError> {
        let inner = |value: &Value<'_>| if let Value::Bag(bag) = value { bag.depth } else { 0 };
        let depth = 1 + items.values().map(|(_, value)| inner(value)).max().unwrap_or(0);
        if depth > self.limits.component_depth {
            let (offset, limit) = (body.range.start as u64, self.limits.component_depth);
            return Err(ReadError::TooDeep { offset, what: "instances", limit });
        }
        Ok(Rc::new(Bag { items, depth }))
    }

    fn outer(&self, scope: usize, count: u32, index: u32) -> Value<'a> {
        let mut scope = Some(scope);
        for _ in 0..count {
            scope = scope.and_then(|scope| self.scopes[scope].parent);
        }
        let components = scope.map(|scope| &self.scopes[scope].components);
        components.and_then(|list| list.get(index as usize)).cloned().unwrap_or(Value::Nothing)
    }

    /// What an instance is called: by whoever composed it, or by the component itself.
    fn instance_name(&self, body: &Definition<'a>, index: u32, component: &Value<'a>) -> String {
        let own = match component {
            Value::Component { definition, .. } => self.definitions[*definition].name,
            _ => None,
        };
        body.instance_names.get(&index).copied().or(own).map_or_else(|| format!("part-{index}"), printable)
    }

    fn digest(&mut self, definition: usize) -> String {
        let Some(digests) = &mut self.digests else { return String::new() };
        let bytes = &self.bytes[self.definitions[definition].range.clone()];
        digests.entry(definition).or_insert_with(|| hex(&Sha256::digest(bytes))).clone()
    }

    fn step(&mut self, count: u32, body: &Definition<'_>) -> Result<(), ReadError> {
        self.steps = self.steps.saturating_add(count);
        if let Some(counted) = &self.counted {
            return counted.items.check(u64::from(self.steps), body.range.start as u64);
        }
        if self.steps > self.most_steps {
            let (offset, limit) = (body.range.start as u64, self.most_steps);
            return Err(ReadError::TooMany { offset, what: "steps of instantiation", limit });
        }
        Ok(())
    }
}

/// Arguments in an order that is always the same.
fn sorted<'s, 'a>(arguments: &'s Arguments<'a>) -> BTreeMap<&'a str, &'s Value<'a>> {
    arguments.iter().map(|(name, value)| (*name, value)).collect()
}

fn pick<'a, 's>(
    items: &'s [Reference<'a>],
    spaces: &'s [Vec<Value<'a>>; 6],
) -> impl Iterator<Item = (&'a str, (Kind, Value<'a>))> + 's {
    items.iter().map(|item| (item.name, (item.kind, spaces[slot(item.kind)][item.index as usize].clone())))
}

/// The export `name` of an instance.
fn member<'a>(instance: &Value<'a>, name: &'a str) -> Value<'a> {
    match instance {
        Value::Part(part) => Value::PartExport(*part, name),
        Value::Bag(bag) => bag.items.get(name).map_or(Value::Nothing, |(_, value)| value.clone()),
        // Something inside an interface comes from where the interface does.
        Value::Host(_) | Value::PartExport(..) => instance.clone(),
        Value::Component { .. } | Value::Nothing => Value::Nothing,
    }
}

fn below(path: &[String], name: String) -> Vec<String> {
    path.iter().cloned().chain([name]).collect()
}

/// Makes `name` unlike those that are taken, and takes it. `taken` remembers the last number tried for each.
fn unique(name: String, taken: &mut HashMap<String, u32>) -> String {
    let mut chosen = name.clone();
    while taken.contains_key(&chosen) {
        let number = taken.entry(name.clone()).or_insert(1);
        *number += 1;
        chosen = format!("{name}-{number}");
    }
    taken.insert(chosen.clone(), 1);
    chosen
}

/// Steps that a copy of a name counts for: a name may be 100 kB long.
fn cost(name: &str) -> u32 {
    1 + (name.len() / 16) as u32
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
