//! The files of a run and their imports.
//!
//! Invariant: cyclic and missing imports are faults. Faults are collected, so that a run reports all
//! of them.

mod chains;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use protobuf::descriptor::FileDescriptorProto;

use super::Sources;
use super::ast::{File, ImportKind};
use super::files::{self, Found};
use super::parser::{self, Parsed};
use super::text::SourceText;
use crate::Diagnostic;

/// The file that declares the built-in options.
const DESCRIPTOR: &str = "google/protobuf/descriptor.proto";

/// The content of a unit.
pub(crate) enum Content {
    Parsed(Box<Parsed>),
    /// A standard file, which every protobuf compiler provides.
    Standard(Box<FileDescriptorProto>),
    /// A file that has a syntax error or cannot be read.
    Broken,
}

/// Why a unit is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Input,
    Overlay,
    Import,
}

/// One file.
pub(crate) struct Unit {
    pub(crate) source: SourceText,
    pub(crate) content: Content,
    pub(crate) role: Role,
    /// The unit of each import statement; `None` if it is missing.
    pub(crate) imports: Vec<Option<usize>>,
}

impl Unit {
    pub(crate) fn parsed(&self) -> Option<&Parsed> {
        match &self.content {
            Content::Parsed(parsed) => Some(parsed),
            Content::Standard(_) | Content::Broken => None,
        }
    }

    pub(crate) fn file(&self) -> Option<&File> {
        self.parsed().map(|parsed| &parsed.file)
    }
}

/// The files of a run.
pub(crate) struct Graph {
    pub(crate) units: Vec<Unit>,
    pub(crate) read: Vec<PathBuf>,
    pub(crate) faults: Vec<Diagnostic>,
    by_name: HashMap<String, usize>,
}

impl Graph {
    /// Reads the inputs, the overlays and everything that they import.
    pub(crate) fn read(sources: &Sources<'_>) -> Self {
        let mut sources = sources.clone();
        if sources.include.is_empty() {
            sources.include.push(PathBuf::from("."));
        }
        let sources = &sources;
        let mut graph =
            Self { units: Vec::new(), read: Vec::new(), faults: Vec::new(), by_name: HashMap::new() };
        for path in &sources.files {
            graph.add_input(files::input(sources, path), path, Role::Input);
        }
        for path in &sources.overlays {
            graph.add_input(files::overlay(sources, path), path, Role::Overlay);
        }
        let named = graph.units.len();
        for index in 0..named {
            if graph.units[index].role == Role::Input {
                graph.follow(sources, index);
            }
        }
        for index in 0..named {
            if graph.units[index].role == Role::Overlay {
                graph.follow(sources, index);
            }
        }
        // It declares the built-in options, so it is needed even if no file imports it.
        graph.standard(DESCRIPTOR);
        graph
    }

    fn add_input(&mut self, input: Result<files::Input, String>, path: &std::path::Path, role: Role) {
        match input {
            Ok(input) => {
                if self.by_name.contains_key(&input.source.name) {
                    return;
                }
                self.read.extend(input.path.clone());
                self.add(input.source, role);
            }
            Err(why) => {
                let shown = files::shown(path);
                self.faults.push(Diagnostic::new(shown, 0, 0, format!("the file {why}")));
            }
        }
    }

    fn add(&mut self, source: SourceText, role: Role) -> usize {
        let content = match parser::parse(&source) {
            Ok(parsed) => Content::Parsed(Box::new(parsed)),
            Err(fault) => {
                self.faults.push(source.diagnose(fault.offset, fault.message));
                Content::Broken
            }
        };
        self.push(Unit { source, content, role, imports: Vec::new() })
    }

    fn push(&mut self, unit: Unit) -> usize {
        let index = self.units.len();
        self.by_name.insert(unit.source.name.clone(), index);
        self.units.push(unit);
        index
    }

    /// Reads the imports of a unit, recursively.
    fn follow(&mut self, sources: &Sources<'_>, first: usize) {
        let mut waiting = vec![first];
        while let Some(index) = waiting.pop() {
            let names: Vec<_> = match self.units[index].file() {
                Some(file) => file.imports.iter().map(|i| i.name.clone()).collect(),
                None => match &self.units[index].content {
                    Content::Standard(descriptor) => {
                        let names = descriptor.dependency.clone();
                        for name in names {
                            let target = self.standard(&name);
                            self.units[index].imports.push(target);
                        }
                        continue;
                    }
                    _ => continue,
                },
            };
            let lenient = self.units[index].role == Role::Overlay;
            let has_own_set = lenient && Self::has_own_set(sources);
            let mut targets = Vec::with_capacity(names.len());
            for name in names {
                let known = self.by_name.get(&name.text).copied();
                let target = known.or_else(|| {
                    if has_own_set
                        && !files::on_disk(sources, &name.text)
                        && sources.is_builtin_schema(&name.text)
                    {
                        return None;
                    }
                    let before = self.units.len();
                    let target = self.find(sources, &name.text);
                    waiting.extend(before..self.units.len());
                    target
                });
                if target.is_none() && !lenient {
                    let why = files::name_fault(&name.text).map_or_else(
                        || {
                            format!(
                                "`{}` is in no include directory (searched: {}): add the directory \
                                 that holds it, or correct the name",
                                name.text,
                                files::listed(&sources.include)
                            )
                        },
                        str::to_owned,
                    );
                    let fault = self.units[index].source.diagnose(name.span.start, why);
                    self.faults.push(fault);
                }
                targets.push(target);
            }
            self.units[index].imports = targets;
        }
    }

    /// Reports whether the include directories have their own copy of the built-in schemas. An overlay
    /// then applies to that copy: a file missing from it must not come from another release.
    fn has_own_set(sources: &Sources<'_>) -> bool {
        let mut names = sources.builtin.iter().map(|(name, _)| *name);
        names.any(|name| {
            let overlay = |path: &PathBuf| path.file_name().is_some_and(|file| file == name);
            !sources.overlays.iter().any(overlay)
                && files::on_disk(sources, name)
                && sources.is_builtin_schema(name)
        })
    }

    /// Adds the file of a name.
    fn find(&mut self, sources: &Sources<'_>, name: &str) -> Option<usize> {
        if files::name_fault(name).is_some() {
            return None;
        }
        match files::find(sources, name) {
            Found::Disk(path, text) => {
                let shown = files::shown(&path);
                self.read.push(path);
                match text {
                    Ok(text) => {
                        let source = SourceText::new(name, shown, text);
                        Some(self.add(source, Role::Import))
                    }
                    Err(why) => {
                        let message = format!("the file {why}");
                        self.faults.push(Diagnostic::new(shown.clone(), 0, 0, message));
                        Some(self.push(Unit {
                            source: SourceText::new(name, shown, ""),
                            content: Content::Broken,
                            role: Role::Import,
                            imports: Vec::new(),
                        }))
                    }
                }
            }
            Found::Builtin(text) => {
                let source = SourceText::new(name, name, text);
                Some(self.add(source, Role::Import))
            }
            Found::Nothing => self.standard(name),
        }
    }

    /// Adds a standard file and its imports.
    fn standard(&mut self, name: &str) -> Option<usize> {
        if let Some(&known) = self.by_name.get(name) {
            return Some(known);
        }
        let descriptor = files::standard(name)?;
        let dependencies = descriptor.dependency.clone();
        let index = self.push(Unit {
            source: SourceText::new(name, name, ""),
            content: Content::Standard(Box::new(descriptor)),
            role: Role::Import,
            imports: Vec::new(),
        });
        // The imports of standard files have no cycles.
        let imports = dependencies.iter().map(|name| self.standard(name)).collect();
        self.units[index].imports = imports;
        Some(index)
    }

    /// Replaces the text of a unit by another of the same length, and parses it again.
    pub(crate) fn replace(&mut self, index: usize, text: String, imports: Vec<Option<usize>>) {
        let unit = &mut self.units[index];
        unit.source = SourceText::new(unit.source.name.clone(), unit.source.shown.clone(), text);
        unit.imports = imports;
        match parser::parse(&unit.source) {
            Ok(parsed) => unit.content = Content::Parsed(Box::new(parsed)),
            Err(fault) => {
                let fault = unit.source.diagnose(fault.offset, fault.message);
                self.faults.push(fault);
                unit.content = Content::Broken;
            }
        }
    }

    /// Returns the units whose names a unit may use: itself, its imports, and their public imports.
    pub(crate) fn visible(&self, index: usize) -> Vec<usize> {
        let mut seen = vec![index];
        let mut waiting: Vec<usize> = self.units[index].imports.iter().flatten().copied().collect();
        while let Some(unit) = waiting.pop() {
            if seen.contains(&unit) {
                continue;
            }
            seen.push(unit);
            let unit = &self.units[unit];
            match &unit.content {
                Content::Parsed(parsed) => {
                    for (import, target) in parsed.file.imports.iter().zip(&unit.imports) {
                        if import.kind == ImportKind::Public {
                            waiting.extend(*target);
                        }
                    }
                }
                Content::Standard(descriptor) => {
                    for public in &descriptor.public_dependency {
                        let target = usize::try_from(*public).ok();
                        waiting.extend(target.and_then(|at| unit.imports.get(at)).copied().flatten());
                    }
                }
                Content::Broken => {}
            }
        }
        seen
    }

    /// Reports for each unit whether it and all of its imports could be read.
    pub(crate) fn complete(&self) -> Vec<bool> {
        let mut complete: Vec<bool> = self
            .units
            .iter()
            .map(|unit| !matches!(unit.content, Content::Broken) && unit.imports.iter().all(Option::is_some))
            .collect();
        loop {
            let mut changed = false;
            for (index, unit) in self.units.iter().enumerate() {
                if complete[index] && unit.imports.iter().flatten().any(|&target| !complete[target]) {
                    complete[index] = false;
                    changed = true;
                }
            }
            if !changed {
                return complete;
            }
        }
    }

    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Returns the names of the inputs and overlays.
    pub(crate) fn to_generate(&self) -> Vec<String> {
        self.units
            .iter()
            .filter(|unit| unit.role != Role::Import)
            .map(|unit| unit.source.name.clone())
            .collect()
    }

    /// Returns the name by which diagnostics show each file.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        self.units.iter().map(|unit| (unit.source.name.clone(), unit.source.shown.clone())).collect()
    }

    /// Returns the order in which diagnostics show the files: that of the units.
    pub(crate) fn shown_order(&self) -> Vec<String> {
        self.units.iter().map(|unit| unit.source.shown.clone()).collect()
    }
}
