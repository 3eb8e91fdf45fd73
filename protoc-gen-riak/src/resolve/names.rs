//! The Rust name of every declaration, and the module that contains it.
//!
//! A file is a module. The nested declarations and oneofs of a message are in a
//! module next to its struct. Invariant: names in a module are unique across
//! types and modules, which share a namespace in Rust, and depend only on the
//! schema.

use std::collections::BTreeSet;

use protobuf::descriptor::{OneofDescriptorProto, ServiceDescriptorProto};
use riak_codegen::ident::{Scope, escape, snake_case, upper_camel_case};
use riak_codegen::model::{EnumId, FileId, MessageId, RustPath};

use super::decls::Decls;
use super::options::{Extern, Options};

/// Names of one message.
#[derive(Clone, Debug)]
pub(crate) struct MessageNames {
    pub(crate) path: RustPath,
    pub(crate) ref_name: String,
    pub(crate) nested_module: String,
    /// The names of the owned and the borrowed enum of each oneof in the descriptor.
    pub(crate) oneofs: Vec<(String, String)>,
}

/// Names of one service: the client struct and the server trait.
#[derive(Clone, Debug)]
pub(crate) struct ServiceNames {
    pub(crate) name: String,
    pub(crate) server: String,
}

/// All names, indexed like the tables of [`Decls`].
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) files: Vec<Vec<String>>,
    pub(crate) messages: Vec<MessageNames>,
    pub(crate) enums: Vec<RustPath>,
    /// By file, then in declaration order.
    pub(crate) services: Vec<Vec<ServiceNames>>,
    /// The names taken in the module of each file, so that items can be added.
    pub(crate) scopes: Vec<Scope>,
}

impl Names {
    pub(crate) fn new(decls: &Decls<'_>, options: &Options) -> Self {
        let modules = file_modules(decls.files.iter().map(|file| file.proto.name()));
        let unnamed = RustPath { root: None, module: Vec::new(), name: String::new() };
        let mut naming = Namer {
            decls,
            options,
            messages: vec![
                MessageNames {
                    path: unnamed.clone(),
                    ref_name: String::new(),
                    nested_module: String::new(),
                    oneofs: Vec::new(),
                };
                decls.messages.len()
            ],
            enums: vec![unnamed; decls.enums.len()],
        };
        let mut scopes = Vec::new();
        let mut services = Vec::new();
        for (index, file) in decls.files.iter().enumerate() {
            let below = modules.iter().filter_map(|module| {
                let below = module.strip_prefix(modules[index].as_slice())?;
                below.first()
            });
            let mut scope = Scope::with_taken(below.cloned());
            let parent = ParentModule { root: file.root.clone(), module: &modules[index] };
            let declared: Vec<&str> = file.proto.service.iter().map(ServiceDescriptorProto::name).collect();
            let names = naming.name_module(&mut scope, &parent, &file.messages, &file.enums, &declared);
            services.push(names);
            scopes.push(scope);
        }
        let Namer { messages, enums, .. } = naming;
        Self { files: modules, messages, enums, services, scopes }
    }

    pub(crate) fn message(&self, id: MessageId) -> &MessageNames {
        &self.messages[id.0]
    }

    pub(crate) fn enumeration(&self, id: EnumId) -> &RustPath {
        &self.enums[id.0]
    }

    /// Chooses names for a message that is added to a file.
    pub(crate) fn add_message(&mut self, file: FileId, name: &str) -> MessageNames {
        let scope = &mut self.scopes[file.0];
        let name_here = scope.take(&upper_camel_case(name));
        let names = MessageNames {
            ref_name: scope.take(&derived(&name_here, "Ref")),
            nested_module: scope.take(&snake_case(name)),
            oneofs: Vec::new(),
            path: RustPath { root: None, module: self.files[file.0].clone(), name: name_here },
        };
        self.messages.push(names.clone());
        names
    }

    /// Chooses names for a service that is added to a file.
    pub(crate) fn add_service(&mut self, file: FileId, name: &str) -> ServiceNames {
        let scope = &mut self.scopes[file.0];
        let name = scope.take(&upper_camel_case(name));
        let server = scope.take(&derived(&name, "Server"));
        ServiceNames { name, server }
    }

    /// Chooses a module for a file that is added, and returns the file's id.
    pub(crate) fn add_file(&mut self, name: &str) -> FileId {
        let mut module = vec![module_segment(name)];
        while self.files.iter().any(|taken| taken.starts_with(&module)) {
            module[0] = format!("{}_", module[0].trim_start_matches("r#"));
        }
        self.files.push(module);
        self.services.push(Vec::new());
        self.scopes.push(Scope::new());
        FileId(self.files.len() - 1)
    }
}

/// The module in which declarations are named.
struct ParentModule<'h> {
    root: Option<String>,
    module: &'h [String],
}

struct Namer<'n> {
    decls: &'n Decls<'n>,
    options: &'n Options,
    messages: Vec<MessageNames>,
    enums: Vec<RustPath>,
}

impl Namer<'_> {
    /// Names the items of a module: first those that the schema names, then those
    /// derived from them.
    fn name_module(
        &mut self,
        scope: &mut Scope,
        parent: &ParentModule<'_>,
        messages: &[MessageId],
        enums: &[EnumId],
        services: &[&str],
    ) -> Vec<ServiceNames> {
        let decls = self.decls;
        let message_names = messages.iter().map(|id| decls.messages[id.0].proto.name());
        let enum_names = enums.iter().map(|id| decls.enums[id.0].proto.name());
        let declared: Vec<&str> = message_names.chain(enum_names).chain(services.iter().copied()).collect();
        let taken = scope.take_all(&declared, upper_camel_case);
        let (of_messages, rest) = taken.split_at(messages.len());
        let (of_enums, of_services) = rest.split_at(enums.len());
        let refs = take_derived(scope, of_messages, "Ref");
        let servers = take_derived(scope, of_services, "Server");
        let services = of_services.iter().cloned().zip(servers);
        let services = services.map(|(name, server)| ServiceNames { name, server }).collect();
        let modules = scope.take_all(&declared[..messages.len()], snake_case);
        for (id, name) in enums.iter().zip(of_enums) {
            self.enums[id.0] = self.path(parent, &decls.enums[id.0].full_name, name);
        }
        for (index, id) in messages.iter().enumerate() {
            let path = self.path(parent, &decls.messages[id.0].full_name, &of_messages[index]);
            // The names derived from a mapped type are those of the crate that has it.
            let moved = path.name != of_messages[index];
            let (ref_name, nested_module) = if moved {
                (derived(&path.name, "Ref"), snake_case(&path.name))
            } else {
                (refs[index].clone(), modules[index].clone())
            };
            self.messages[id.0] = MessageNames { path, ref_name, nested_module, oneofs: Vec::new() };
            self.name_nested(*id);
        }
        services
    }

    /// Names the nested declarations of a message.
    fn name_nested(&mut self, id: MessageId) {
        let decl = &self.decls.messages[id.0];
        let names = &self.messages[id.0];
        let mut module = names.path.module.clone();
        module.push(names.nested_module.clone());
        let parent = ParentModule { root: names.path.root.clone(), module: &module };
        let mut scope = Scope::new();
        self.name_module(&mut scope, &parent, &decl.messages, &decl.enums, &[]);
        let declared: Vec<&str> = decl.proto.oneof_decl.iter().map(OneofDescriptorProto::name).collect();
        let enums = scope.take_all(&declared, upper_camel_case);
        self.messages[id.0].oneofs = enums
            .into_iter()
            .map(|name| {
                let borrowed = scope.take(&derived(&name, "Ref"));
                (name, borrowed)
            })
            .collect();
    }

    fn path(&self, parent: &ParentModule<'_>, full_name: &str, name: &str) -> RustPath {
        let (root, module, name) = match self.options.extern_type(full_name) {
            Some(Extern::Type(root, name)) => (Some(root), Vec::new(), name),
            Some(Extern::Root(root)) => (Some(root), parent.module.to_vec(), name.to_owned()),
            None => (parent.root.clone(), parent.module.to_vec(), name.to_owned()),
        };
        RustPath { root, module, name }
    }
}

/// Returns the name of an item derived from a type. Trailing underscores are
/// removed, since they would be in the middle of the name.
pub(super) fn derived(name: &str, suffix: &str) -> String {
    format!("{}{suffix}", name.trim_end_matches('_'))
}

/// Takes a derived name for each of `names`; those that end with an underscore
/// come last.
fn take_derived(scope: &mut Scope, names: &[String], suffix: &str) -> Vec<String> {
    let mut taken = vec![String::new(); names.len()];
    for ends_with_underscore in [false, true] {
        for (name, slot) in names.iter().zip(&mut taken) {
            if name.ends_with('_') == ends_with_underscore {
                *slot = scope.take(&derived(name, suffix));
            }
        }
    }
    taken
}

/// The modules that are emitted in addition to those of files.
const TABLE_MODULES: [&str; 2] = ["any_message", "message_code"];

/// Returns the module of each file; earlier files take precedence.
fn file_modules<'a>(files: impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
    let mut taken: BTreeSet<Vec<String>> = BTreeSet::new();
    files
        .map(|name| {
            let stem = name.strip_suffix(".proto").unwrap_or(name);
            let mut module: Vec<String> = stem.split('/').map(module_segment).collect();
            if let Some(first) = module.first_mut().filter(|first| TABLE_MODULES.contains(&first.as_str())) {
                first.push('_');
            }
            while !taken.insert(module.clone()) {
                if let Some(last) = module.last_mut() {
                    *last = format!("{}_", last.trim_start_matches("r#"));
                }
            }
            module
        })
        .collect()
}

/// Converts a component of a file's path. A file `mod.rs` would be the module of
/// its directory.
fn module_segment(part: &str) -> String {
    match part {
        "mod" => "mod_".to_owned(),
        _ => escape(&snake_case(part).replace("r#", "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_modules() {
        let files = [
            "riak_kv.proto",
            "google/protobuf/any.proto",
            "a-b.proto",
            "a_b.proto",
            "x/type.proto",
            "mod.proto",
            "message_code.proto",
            "any_message/any_message.proto",
        ];
        let modules: Vec<String> =
            file_modules(files.into_iter()).iter().map(|module| module.join("::")).collect();
        assert_eq!(
            modules,
            [
                "riak_kv",
                "google::protobuf::any",
                "a_b",
                "a_b_",
                "x::r#type",
                "mod_",
                "message_code_",
                "any_message_::any_message"
            ]
        );
    }
}
