//! Tests that reading files without `protoc` gives what `protoc` gives: the same descriptors, places
//! and comments.

mod source;

use std::path::{Path, PathBuf};
use std::process::Command;

use protobuf::Message as _;
use protobuf::descriptor::{FileDescriptorProto, FileDescriptorSet};
use protoc_gen_riak::source::{Sources, load};

use source::{Files, fixtures, protoc};

/// Returns the descriptors that `protoc` gives for files.
fn with_protoc(include: &Path, files: &[PathBuf]) -> FileDescriptorSet {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("set.bin");
    let protoc = protoc_bin_vendored::protoc_bin_path().unwrap();
    let mut command = Command::new(protoc);
    command
        .arg("--include_imports")
        .arg("--include_source_info")
        .arg("--descriptor_set_out")
        .arg(&out)
        .arg("-I")
        .arg(include)
        .args(files);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    FileDescriptorSet::parse_from_bytes(&std::fs::read(out).unwrap()).unwrap()
}

fn without_protoc(include: &Path, files: &[PathBuf]) -> FileDescriptorSet {
    let loaded =
        load(&Sources { include: vec![include.to_owned()], files: files.to_vec(), ..Sources::default() });
    loaded.unwrap_or_else(|faults| panic!("{faults}")).set
}

/// Compares descriptors after normalizing what protobuf leaves open: the order of unknown fields, and
/// equivalent encodings.
fn assert_same(ours: &FileDescriptorProto, theirs: &FileDescriptorProto) {
    let name = ours.name();
    let places = |file: &FileDescriptorProto| -> Vec<String> {
        let locations = file.source_code_info.location.iter();
        locations.map(|location| format!("{location:?}")).collect()
    };
    let (our_places, their_places) = (places(ours), places(theirs));
    for (index, (ours, theirs)) in our_places.iter().zip(&their_places).enumerate() {
        assert_eq!(ours, theirs, "{name}: location {index}");
    }
    assert_eq!(our_places.len(), their_places.len(), "{name}: locations");

    let plain = |file: &FileDescriptorProto| {
        let mut file = file.clone();
        file.source_code_info = protobuf::MessageField::none();
        // Options of extension ranges are not kept.
        protobuf::text_format::print_to_string_pretty(&file)
    };
    let (ours, theirs) = (plain(ours), plain(theirs));
    for (index, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(ours, theirs, "{name}: line {index} of the descriptor");
    }
    assert_eq!(ours.len(), theirs.len(), "{name}: descriptor");
}

fn compare(include: &Path, files: &[PathBuf]) {
    let theirs = with_protoc(include, files);
    let ours = without_protoc(include, files);
    let names = |set: &FileDescriptorSet| -> Vec<String> {
        let mut names: Vec<_> = set.file.iter().map(|file| file.name().to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&ours), names(&theirs));
    for file in &ours.file {
        let before = ours.file.iter().take_while(|other| other.name() != file.name());
        let before: Vec<&str> = before.map(FileDescriptorProto::name).collect();
        for import in &file.dependency {
            assert!(before.contains(&import.as_str()), "{import} comes too late");
        }
        if file.source_code_info.is_none() {
            // A standard file, which every compiler provides.
            assert!(file.name().starts_with("google/protobuf/"));
            continue;
        }
        let same = |other: &&FileDescriptorProto| other.name() == file.name();
        assert_same(file, theirs.file.iter().find(same).unwrap());
    }
}

#[test]
fn fixtures_are_the_same() {
    let include = fixtures("good");
    for name in [
        "comments.proto",
        "proto2.proto",
        "proto3.proto",
        "crlf.proto",
        "bom.proto",
        "shared.proto",
        "far_numbers.proto",
        "inf.proto",
        "inf_again.proto",
        "deeper/base.proto",
    ] {
        compare(&include, &[include.join(name)]);
    }
}

#[test]
fn all_at_once_are_the_same() {
    let include = fixtures("good");
    let files = ["proto2.proto", "comments.proto", "proto3.proto"];
    let files: Vec<PathBuf> = files.iter().map(|name| include.join(name)).collect();
    compare(&include, &files);
}

#[test]
fn riaks_schemas_are_the_same() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    if !include.is_dir() {
        return;
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&include)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "proto"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    compare(&include, &files);
}

/// A pseudo-random number generator, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// The tokens of a file that uses most of the grammar.
const TOKENS: &str = r#"
syntax = "proto2" ; package p . qqq ; message A { optional int32 a = 1 ; ; optional A b = 2 [
deprecated = true ] ; oneof c { int32 d = 3 ; string e = 4 ; } message B { } repeated group G =
5 { optional bool h = 1 ; } map < int32 , A > m = 6 ; extensions 10 to 20 , 30 ; reserved 40 ,
41 to max ; reserved "x" , "y" ; } enum E { Z = 0 ; O = - 1 ; } extend A { optional int32 ext =
10 ; } service S { rpc M ( A ) returns ( stream A ) ; rpc N ( A ) returns ( A ) { option
deprecated = true ; } }
"#;

/// White space between tokens of one declaration.
const SMALL: &[&str] = &["", " ", " ", " ", "\n", "\n  ", "\t"];

/// White space and comments between declarations.
const LARGE: &[&str] = &[
    " ",
    "\n",
    "\n\n",
    "\n \n",
    "// one\n",
    "//two\n",
    "  // three  \n",
    "\t//\n",
    "/* four */",
    "/*five\n * six\n seven*/",
    "/**/",
    "/* eight */\n",
    "\n/** nine\n   ten\n **/ ",
    "\r\n",
];

/// Returns a file with random comments and white space of every kind wherever they are allowed.
fn scattered(random: &mut Random) -> String {
    let mut text = String::new();
    for token in TOKENS.split_whitespace() {
        let ends = text.ends_with([';', '{', '}']) || text.is_empty();
        if ends || random.below(12) == 0 {
            for _ in 0..random.below(6) {
                text.push_str(random.pick(LARGE));
            }
        } else {
            text.push_str(random.pick(SMALL));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '"' || c == '_';
        if token.starts_with(is_word) && text.ends_with(is_word) {
            text.push(' ');
        }
        text.push_str(token);
    }
    for _ in 0..random.below(6) {
        text.push_str(random.pick(LARGE));
    }
    text
}

/// The largest schemas available are those that `protoc` provides, read from its files.
#[test]
fn the_schemas_of_protoc_are_the_same() {
    let include = protoc_bin_vendored::include_path().unwrap();
    let dir = include.join("google/protobuf");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(dir.join("compiler/plugin.proto"));
    files.retain(|path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.contains("\nsyntax = ")
    });
    assert!(files.len() > 10, "{files:?}");
    files.sort();
    for file in &files {
        compare(&include, std::slice::from_ref(file));
    }
    compare(&include, &files);
}

#[test]
fn comments_anywhere_are_the_same() {
    let mut random = Random(0x5eed_cafe_f00d);
    let dir = tempfile::tempdir().unwrap();
    let rounds: usize = std::env::var("FUZZ").map_or(1, |n| n.parse().unwrap());
    for _ in 0..rounds {
        let mut files = Vec::new();
        for number in 0..60 {
            // A package of its own for each file, so that names do not clash.
            let text = scattered(&mut random).replacen("qqq", &format!("q{number}"), 1);
            let path = dir.path().join(format!("f{number}.proto"));
            std::fs::write(&path, text).unwrap();
            files.push(path);
        }
        compare(dir.path(), &files);
    }
}

/// Files with a superfluous, missing or misplaced token are accepted if and only if `protoc` accepts
/// them.
#[test]
fn damaged_files_are_refused_where_protoc_refuses_them() {
    let mut random = Random(0xda4a_6ed0);
    let whole: Vec<&str> = TOKENS.split_whitespace().collect();
    let mut taken = 0;
    for _ in 0..250 {
        let mut tokens = whole.clone();
        let at = random.below(tokens.len());
        let other = random.pick(&whole);
        match random.below(4) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, other),
            2 => tokens[at] = other,
            _ => tokens.swap(at, random.below(whole.len())),
        }
        let files = Files::new(&[("a.proto", &tokens.join(" "))]);
        let out = protoc(files.dir(), &["-o", "/dev/null"], &files.paths());
        let ours = files.load();
        let theirs = String::from_utf8_lossy(&out.stderr);
        assert_eq!(ours.is_ok(), out.status.success(), "{}\n{:?}\n{theirs}", tokens.join(" "), ours.err());
        taken += usize::from(out.status.success());
    }
    assert!(taken > 5, "{taken}");
}
