//! The places of a file's declarations in its source, and their comments.
//!
//! Descriptors identify a declaration by its path through `FileDescriptorProto`,
//! such as `[4, 0, 2, 1]` for the second field of the first message. Invariant: a
//! path without a place of its own has that of the nearest enclosing declaration,
//! so that a fault is located as precisely as possible.

use std::collections::HashMap;

use protobuf::descriptor::FileDescriptorProto;
use protobuf::descriptor::source_code_info::Location;

use super::docs;
use super::report::Place;
use riak_codegen::model::Docs;

/// Field numbers of `descriptor.proto`, of which paths consist.
pub(crate) mod part {
    pub(crate) const FILE_PACKAGE: i32 = 2;
    pub(crate) const FILE_MESSAGE: i32 = 4;
    pub(crate) const FILE_ENUM: i32 = 5;
    pub(crate) const FILE_SERVICE: i32 = 6;
    pub(crate) const FILE_OPTIONS: i32 = 8;
    pub(crate) const FILE_SYNTAX: i32 = 12;
    pub(crate) const FILE_EDITION: i32 = 14;
    pub(crate) const NAME: i32 = 1;
    pub(crate) const MESSAGE_FIELD: i32 = 2;
    pub(crate) const MESSAGE_NESTED: i32 = 3;
    pub(crate) const MESSAGE_ENUM: i32 = 4;
    pub(crate) const MESSAGE_OPTIONS: i32 = 7;
    pub(crate) const MESSAGE_ONEOF: i32 = 8;
    pub(crate) const FIELD_DEFAULT: i32 = 7;
    pub(crate) const FIELD_OPTIONS: i32 = 8;
    pub(crate) const ENUM_VALUE: i32 = 2;
    pub(crate) const SERVICE_METHOD: i32 = 2;
    pub(crate) const SERVICE_OPTIONS: i32 = 3;
    pub(crate) const METHOD_OPTIONS: i32 = 4;
}

/// The places and comments of one file.
#[derive(Debug)]
pub(crate) struct Locations<'a> {
    file: &'a str,
    by_path: HashMap<&'a [i32], &'a Location>,
    /// In source order.
    in_order: Vec<&'a Location>,
}

impl<'a> Locations<'a> {
    pub(crate) fn new(file: &'a FileDescriptorProto) -> Self {
        let mut by_path = HashMap::new();
        let mut in_order = Vec::new();
        for location in &file.source_code_info.location {
            // An option that is written in several statements has the place of the first.
            by_path.entry(location.path.as_slice()).or_insert(location);
            in_order.push(location);
        }
        in_order.sort_by_key(|location| (location.span.first(), location.span.get(1)));
        Self { file: file.name(), by_path, in_order }
    }

    /// Returns the place of a path, or of the nearest path that encloses it.
    pub(crate) fn place(&self, path: &[i32]) -> Place {
        let mut around = path;
        loop {
            if let Some(place) = self.by_path.get(around).and_then(|found| self.start(found)) {
                return place;
            }
            match around {
                [] | [_] => return self.whole_file(),
                [rest @ .., _] => around = rest,
            }
        }
    }

    /// Returns the place of the name of a declaration, such as a message or a method.
    pub(crate) fn name_place(&self, path: &[i32]) -> Place {
        self.place(&joined(path, &[part::NAME]))
    }

    /// Returns a place with the file but no line.
    pub(crate) fn whole_file(&self) -> Place {
        Place { file: self.file.to_owned(), ..Place::default() }
    }

    fn start(&self, location: &Location) -> Option<Place> {
        let [line, column, ..] = location.span[..] else {
            return None;
        };
        Some(Place {
            file: self.file.to_owned(),
            line: u32::try_from(line).ok()? + 1,
            column: u32::try_from(column).ok()? + 1,
        })
    }

    /// Returns the comment before a declaration, or else the one after it.
    pub(crate) fn docs(&self, path: &[i32]) -> Docs {
        self.by_path
            .get(path)
            .and_then(|location| {
                location.leading_comments.as_deref().or(location.trailing_comments.as_deref())
            })
            .map(docs::from_comment)
            .unwrap_or_default()
    }

    /// Returns the comment about the whole file: the one at its `syntax`, `edition` or
    /// `package` statement, or else the first detached comment above the first
    /// statement. Copyright notices do not count.
    pub(crate) fn file_docs(&self) -> Docs {
        let statements = [part::FILE_SYNTAX, part::FILE_EDITION, part::FILE_PACKAGE];
        let at_statements = statements
            .iter()
            .filter_map(|&number| self.by_path.get(&[number][..]))
            .flat_map(|location| location.leading_comments.iter().chain(&location.leading_detached_comments));
        at_statements
            .chain(self.opening_comments())
            .find(|comment| !is_license(comment))
            .map(|comment| docs::from_comment(comment))
            .unwrap_or_default()
    }

    /// Returns the detached comments above the first statement.
    fn opening_comments(&self) -> impl Iterator<Item = &'a String> + use<'a> {
        self.in_order
            .iter()
            .filter(|location| !location.path.is_empty())
            .take(1)
            .flat_map(|location| &location.leading_detached_comments)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Returns every comment, with the place of its declaration, in source order.
    pub(crate) fn comments(&self) -> impl Iterator<Item = (Place, &'a str)> {
        self.in_order.iter().flat_map(|location| {
            let place = self.start(location).unwrap_or_else(|| self.whole_file());
            location
                .leading_detached_comments
                .iter()
                .chain(&location.leading_comments)
                .chain(&location.trailing_comments)
                .map(move |comment| (place.clone(), comment.as_str()))
        })
    }
}

/// Appends steps to a path.
pub(crate) fn joined(path: &[i32], below: &[i32]) -> Vec<i32> {
    [path, below].concat()
}

/// Converts an index to a step of a path.
pub(crate) fn step(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn is_license(comment: &str) -> bool {
    let comment = comment.to_ascii_lowercase();
    ["copyright", "licensed under", "spdx-license"].iter().any(|word| comment.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(path: &[i32], span: &[i32]) -> Location {
        Location { path: path.to_vec(), span: span.to_vec(), ..Location::default() }
    }

    fn file(locations: Vec<Location>) -> FileDescriptorProto {
        let mut file = FileDescriptorProto::new();
        file.set_name("a.proto".to_owned());
        file.source_code_info.mut_or_insert_default().location = locations;
        file
    }

    #[test]
    fn path_without_a_place_has_that_of_the_enclosing_path() {
        let file = file(vec![
            location(&[], &[0, 0, 9, 0]),
            location(&[4, 0], &[2, 0, 4, 1]),
            location(&[4, 0, 1], &[2, 8, 11]),
        ]);
        let locations = Locations::new(&file);
        let at = |path: &[i32]| {
            let place = locations.place(path);
            (place.line, place.column)
        };
        assert_eq!(at(&[4, 0, 2, 7]), (3, 1));
        assert_eq!(at(&[4, 0, 1]), (3, 9));
        // The whole file has no line.
        assert_eq!(at(&[6, 0]), (0, 0));
        assert_eq!(locations.name_place(&[4, 0]).column, 9);
        assert_eq!(locations.place(&[4, 0]).short(), "a.proto:3");
    }

    #[test]
    fn license_is_not_the_file_documentation() {
        let mut first = location(&[4, 0], &[9, 0, 10, 1]);
        first.leading_detached_comments = vec![" Copyright 2010.\n".to_owned(), " About gets.\n".to_owned()];
        let mut syntax = location(&[12], &[0, 0, 10]);
        assert_eq!(Locations::new(&file(vec![first.clone()])).file_docs().lines, ["About gets."]);
        syntax.leading_comments = Some(" Frames.\n".to_owned());
        assert_eq!(Locations::new(&file(vec![first, syntax])).file_docs().lines, ["Frames."]);
    }
}
