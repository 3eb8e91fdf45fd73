//! Checks chains of imports: none may be a cycle, or too long for the parser.
//!
//! Invariant: each cycle, and each chain that is too long, is reported once, at one of
//! its import statements.

use super::Graph;

/// The maximum depth of imports. `protobuf-parse` follows them recursively: without
/// optimisation and on the 2 MiB stack of a thread, it overflows somewhere above 300.
const MAX_DEPTH: usize = 300;

impl Graph {
    /// Reports each import cycle at the import that closes it, and imports that go too deep.
    pub(crate) fn check_imports(&mut self) {
        // The length of the longest chain of imports that starts at each unit.
        let mut depths = vec![0; self.units.len()];
        let mut done = vec![false; self.units.len()];
        for root in 0..self.units.len() {
            // The path from the root: units, each with the index of its next import.
            let mut stack: Vec<(usize, usize)> = Vec::new();
            if !done[root] {
                stack.push((root, 0));
            }
            while let Some(&(unit, import)) = stack.last() {
                let Some(&target) = self.units[unit].imports.get(import) else {
                    done[unit] = true;
                    stack.pop();
                    let targets = self.units[unit].imports.iter().enumerate();
                    let chains = targets.filter_map(|(import, target)| Some((depths[(*target)?], import)));
                    let (longest, import) = chains.max().unwrap_or_default();
                    depths[unit] = longest + 1;
                    if depths[unit] == MAX_DEPTH + 1 {
                        self.report_depth(unit, import);
                    }
                    continue;
                };
                if let Some(top) = stack.last_mut() {
                    top.1 += 1;
                }
                let Some(target) = target else { continue };
                if let Some(from) = stack.iter().position(|&(on_stack, _)| on_stack == target) {
                    let cycle: Vec<usize> = stack[from..].iter().map(|&(unit, _)| unit).collect();
                    self.report_cycle(&cycle, unit, import);
                } else if !done[target] {
                    stack.push((target, 0));
                }
            }
        }
    }

    fn report_cycle(&mut self, cycle: &[usize], unit: usize, import: usize) {
        let names: Vec<&str> =
            cycle.iter().chain(cycle.first()).map(|&unit| self.units[unit].source.name.as_str()).collect();
        let message = format!(
            "circular imports: {}; move what the files share into one that imports neither",
            names.join(" -> ")
        );
        self.report_import(unit, import, message);
    }

    fn report_depth(&mut self, unit: usize, import: usize) {
        let message = format!(
            "imports go more than {MAX_DEPTH} files deep from here: let this file import directly what it needs"
        );
        self.report_import(unit, import, message);
    }

    /// Reports a fault at an import statement.
    fn report_import(&mut self, unit: usize, import: usize, message: String) {
        let unit = &self.units[unit];
        let offset =
            unit.file().and_then(|file| file.imports.get(import)).map_or(0, |import| import.name.span.start);
        let fault = unit.source.diagnose(offset, message);
        self.faults.push(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;
    use crate::Diagnostic;

    /// Reads a chain of files, each of which imports the next one.
    fn chain(length: usize) -> Graph {
        let file = |index| {
            let import =
                if index + 1 < length { format!("import \"{}.proto\";\n", index + 1) } else { String::new() };
            (format!("{index}.proto"), format!("syntax = \"proto3\";\n{import}"))
        };
        let files: Vec<(String, String)> = (0..length).map(file).collect();
        let builtin: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        let mut graph = Graph::read(&Sources {
            overlays: vec!["0.proto".into()],
            builtin: &builtin,
            ..Sources::default()
        });
        graph.check_imports();
        graph
    }

    #[test]
    fn imports_go_only_so_deep() {
        assert!(chain(MAX_DEPTH).faults.is_empty());
        let faults: Vec<String> = chain(MAX_DEPTH * 2).faults.iter().map(Diagnostic::to_string).collect();
        assert_eq!(
            faults,
            [
                "299.proto:2:8: imports go more than 300 files deep from here: let this file import directly what it needs"
            ]
        );
    }
}
