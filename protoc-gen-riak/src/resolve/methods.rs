//! The Rust names of methods, and of the items derived from services.
//!
//! Invariant: the methods of a client or a server trait have distinct names, even
//! if an operation has several methods; so do the items of a file's module.

use riak_codegen::ident::{Scope, snake_case, upper_camel_case};
use riak_codegen::model::{Mode, Operation, Schema};

use super::names::{Names, derived};

/// Names methods, dispatchers and the enums of alternative responses.
pub(super) fn apply(schema: &mut Schema, names: &mut Names) {
    for (file, scope) in schema.files.iter_mut().zip(&mut names.scopes) {
        for service in &mut file.services {
            service.dispatcher_name = scope.take(&derived(&service.name, "Service"));
            methods(&mut service.operations);
            for operation in &mut service.operations {
                if !operation.alternatives.is_empty() {
                    // A leading underscore only serves to start a name with a digit.
                    let method = upper_camel_case(&operation.name);
                    let method = method.trim_start_matches('_');
                    let name = derived(&derived(&service.name, method), "Answer");
                    operation.answer_name = scope.take(&name);
                }
            }
        }
    }
}

/// Names the methods of a service. Operations with a single method take their
/// names first; operations with several methods avoid these names.
fn methods(operations: &mut [Operation]) {
    // The client's constructor is called `new`.
    let mut scope = Scope::with_taken(["new"]);
    let (plain, rest): (Vec<_>, Vec<_>) =
        operations.iter_mut().partition(|operation| suffixes(operation).is_empty());
    let declared: Vec<String> = plain.iter().map(|operation| operation.name.clone()).collect();
    let declared: Vec<&str> = declared.iter().map(String::as_str).collect();
    let taken = scope.take_all(&declared, snake_case);
    for (operation, name) in plain.into_iter().zip(taken) {
        operation.rust_name = name;
    }
    for operation in rest {
        let mut name = scope.take(&snake_case(&operation.name));
        loop {
            let mut tried = scope.clone();
            let plain = name.trim_start_matches("r#");
            let all = suffixes(operation).into_iter().map(|suffix| format!("{plain}{suffix}"));
            if all.into_iter().all(|derived| tried.take(&derived) == derived) {
                scope = tried;
                break;
            }
            name = scope.take(&name);
        }
        operation.rust_name = name;
    }
}

/// Returns the suffixes of an operation's additional methods.
fn suffixes(operation: &Operation) -> Vec<&'static str> {
    let conditional = matches!(operation.mode, Mode::Conditional { .. });
    let alternatives = !operation.alternatives.is_empty();
    let mut suffixes = Vec::new();
    if conditional {
        suffixes.push("_stream");
    }
    if alternatives {
        suffixes.push("_any");
    }
    if conditional && alternatives {
        suffixes.push("_any_stream");
    }
    suffixes
}
