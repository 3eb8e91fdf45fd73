//! Looks up names, and explains names that cannot be resolved.

use riak_codegen::suggest::nearest;

use super::{Symbol, SymbolKind, Types};
use crate::source::ast::Scalar;

/// The result of looking up a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    Found(SymbolKind),
    /// Declared in a file that is not imported, whose name this is.
    NotImported(String),
    Nothing,
}

/// Joins a scope and a name.
pub(crate) fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

impl Types {
    /// Returns what a full name stands for, wherever it is declared.
    pub(crate) fn kind_of(&self, full: &str) -> Option<SymbolKind> {
        self.symbols.get(full).map(|symbol| symbol.kind)
    }

    /// Returns the full name of a message, an enum or an extension.
    pub(crate) fn full_name(&self, kind: SymbolKind) -> &str {
        match kind {
            SymbolKind::Message(id) => &self.messages[id].full,
            SymbolKind::Enum(id) => &self.enums[id].full,
            SymbolKind::Extension(id) => &self.extensions[id].full,
            _ => "",
        }
    }

    fn visible_symbol(&self, unit: usize, full: &str) -> Option<Symbol> {
        let symbol = self.symbols.get(full).copied()?;
        self.visible[unit].contains(&symbol.unit).then_some(symbol)
    }

    fn is_package(&self, unit: usize, name: &str) -> bool {
        // Either may have thousands: many files may share the start of a package, and one file may
        // import many.
        let visible = &self.visible[unit];
        self.packages.get(name).is_some_and(|units| {
            if units.len() < visible.len() {
                units.iter().any(|of| visible.contains(of))
            } else {
                visible.iter().any(|of| units.contains(of))
            }
        })
    }

    /// Looks up the name of a type as it is written in a scope.
    pub(crate) fn lookup_type(&self, unit: usize, scope: &str, name: &str) -> Lookup {
        self.lookup(unit, scope, name, SymbolKind::is_type)
    }

    /// Looks up any name as it is written in a scope: the innermost declaration counts, whatever its
    /// kind. This applies to extensions, extended messages and the types of methods.
    pub(crate) fn lookup_any(&self, unit: usize, scope: &str, name: &str) -> Lookup {
        self.lookup(unit, scope, name, |_| true)
    }

    fn lookup(&self, unit: usize, scope: &str, name: &str, wanted: fn(SymbolKind) -> bool) -> Lookup {
        if let Some(full) = name.strip_prefix('.') {
            return match self.visible_symbol(unit, full) {
                Some(symbol) => Lookup::Found(symbol.kind),
                None => self.not_imported([full.to_owned()].into_iter()),
            };
        }
        let first = name.split('.').next().unwrap_or(name);
        let compound = first.len() < name.len();
        for scope in scopes(scope) {
            let head = join(scope, first);
            if compound {
                let symbol = self.visible_symbol(unit, &head);
                if symbol.is_some_and(|symbol| symbol.kind.has_members())
                    || (symbol.is_none() && self.is_package(unit, &head))
                {
                    let full = join(scope, name);
                    return match self.visible_symbol(unit, &full) {
                        Some(symbol) => Lookup::Found(symbol.kind),
                        None => self.not_imported([full].into_iter()),
                    };
                }
            } else if let Some(symbol) = self.visible_symbol(unit, &head)
                && wanted(symbol.kind)
            {
                return Lookup::Found(symbol.kind);
            }
        }
        self.not_imported(scopes(scope).map(|scope| join(scope, name)))
    }

    /// Returns the file that declares one of these full names and is not imported.
    fn not_imported(&self, mut full: impl Iterator<Item = String>) -> Lookup {
        full.find_map(|full| self.symbols.get(&full))
            .map_or(Lookup::Nothing, |symbol| Lookup::NotImported(self.names[symbol.unit].clone()))
    }

    /// Returns the fault for a name that does not refer to `wanted`, unless it may be a consequence of
    /// another file's fault.
    pub(crate) fn lookup_fault(
        &self,
        unit: usize,
        scope: &str,
        name: &str,
        found: &Lookup,
        wanted: &str,
    ) -> Option<String> {
        match found {
            Lookup::Found(kind) => {
                let noun = kind.noun();
                let mut message = format!("`{name}` is {noun}, where {wanted} is needed");
                if !kind.is_type()
                    && let Lookup::Found(hidden) = self.lookup_type(unit, scope, name)
                {
                    let full = self.full_name(hidden);
                    message = format!("{message}: write `.{full}` for the type");
                }
                Some(message)
            }
            _ if !self.is_complete(unit) => None,
            Lookup::NotImported(file) => Some(format!(
                "`{name}` is declared in `{file}`, which this file does not import: add \
                 `import \"{file}\";`"
            )),
            Lookup::Nothing => Some(match self.nearest_type(unit, scope, name) {
                Some(near) if near == name => format!(
                    "`{name}` is looked up in an inner `{}`, which has no such type: write `.{name}`",
                    name.split('.').next().unwrap_or(name)
                ),
                Some(near) => format!("there is no type `{name}`: did you mean `{near}`?"),
                None => format!("there is no type `{name}`: declare it, or import the file that declares it"),
            }),
        }
    }

    /// Returns the type that a misspelt name was probably meant to be, as it should be written.
    fn nearest_type(&self, unit: usize, scope: &str, name: &str) -> Option<String> {
        let wanted = last(name);
        let mut known: Vec<&str> = self
            .symbols
            .iter()
            .filter(|(_, symbol)| {
                symbol.kind.is_type()
                    && self.visible[unit].contains(&symbol.unit)
                    && !matches!(symbol.kind, SymbolKind::Message(id) if self.messages[id].map_entry)
            })
            .map(|(full, _)| full.as_str())
            .collect();
        known.sort_unstable();
        let mut names: Vec<&str> = known.iter().map(|full| last(full)).collect();
        if !name.contains('.') {
            for scalar in Scalar::names() {
                names.push(scalar);
            }
        }
        let best = nearest(wanted, names.iter().copied())?;
        let index = names.iter().position(|last| *last == best)?;
        let Some(&full) = known.get(index) else {
            return Some(best.to_owned());
        };
        let short = matches!(
            self.lookup_type(unit, scope, best),
            Lookup::Found(kind) if self.full_name(kind) == full
        );
        Some(if short { best } else { full }.to_owned())
    }
}

/// Returns the last part of a name.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Returns a scope and its enclosing scopes, innermost first; the last is the root.
pub(crate) fn scopes(scope: &str) -> impl Iterator<Item = &str> {
    let outer = (!scope.is_empty()).then_some("");
    std::iter::successors(Some(scope), |scope| scope.rfind('.').map(|dot| &scope[..dot])).chain(outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_go_outward() {
        assert_eq!(scopes("a.b.c").collect::<Vec<_>>(), ["a.b.c", "a.b", "a", ""]);
        assert_eq!(scopes("").collect::<Vec<_>>(), [""]);
    }
}
