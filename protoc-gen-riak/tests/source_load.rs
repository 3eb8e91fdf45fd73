//! Tests where files are found, and which files are reported as read.

mod source;

use std::path::PathBuf;

use protoc_gen_riak::source::{Sources, load};
use source::{Files, fixtures};

/// A pseudo-random number generator, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

const A: &str = "syntax = \"proto3\";\nimport \"sub/b.proto\";\nmessage A { B b = 1; }";
const B: &str = "syntax = \"proto3\";\nimport \"google/protobuf/empty.proto\";\nmessage B { google.protobuf.Empty e = 1; }";

fn names(set: &protobuf::descriptor::FileDescriptorSet) -> Vec<String> {
    set.file.iter().map(|file| file.name().to_owned()).collect()
}

#[test]
fn imports_come_first_and_every_file_read_is_reported() {
    let files = Files::new(&[("a.proto", A), ("sub/b.proto", B)]);
    let loaded = load(&Sources {
        include: vec![files.dir().to_owned()],
        files: vec![files.dir().join("a.proto")],
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(names(&loaded.set), ["google/protobuf/empty.proto", "sub/b.proto", "a.proto"]);
    assert_eq!(loaded.to_generate, ["a.proto"]);
    assert_eq!(loaded.read, [files.dir().join("a.proto"), files.dir().join("sub/b.proto")]);
    assert_eq!(loaded.shown["sub/b.proto"], files.dir().join("sub/b.proto").display().to_string());
}

#[test]
fn file_has_one_name_for_all_paths_to_it() {
    let files = Files::new(&[("a.proto", A), ("sub/b.proto", B)]);
    let dir = files.dir();
    let other = tempfile::tempdir().unwrap();
    let mut ways = vec![
        (dir.join("."), dir.join("a.proto")),
        (dir.to_owned(), dir.join("./a.proto")),
        (dir.to_owned(), dir.join("sub/../a.proto")),
        (dir.join("sub/.."), dir.join("a.proto")),
        // Named as in import statements.
        (dir.to_owned(), PathBuf::from("a.proto")),
    ];
    #[cfg(unix)]
    {
        let link = other.path().join("link");
        std::os::unix::fs::symlink(dir, &link).unwrap();
        ways.push((link.clone(), dir.join("a.proto")));
        ways.push((dir.to_owned(), link.join("a.proto")));
    }
    for (include, file) in ways {
        let loaded = load(&Sources {
            include: vec![include.clone()],
            files: vec![file.clone()],
            ..Sources::default()
        });
        let loaded = loaded.unwrap_or_else(|faults| panic!("{include:?} {file:?}: {faults}"));
        assert_eq!(loaded.to_generate, ["a.proto"], "{include:?} {file:?}");
    }
}

#[test]
fn files_that_cannot_be_named_or_read_are_faults() {
    let files = Files::new(&[("one/a.proto", B), ("two/a.proto", B), ("bad/b.proto", "syntax")]);
    std::fs::write(files.dir().join("bad/b.proto"), b"syntax = \"proto3\";\n// \xff").unwrap();
    let fault = |include: &[&str], file: &str| {
        let faults = load(&Sources {
            include: include.iter().map(|dir| files.dir().join(dir)).collect(),
            files: vec![files.dir().join(file)],
            ..Sources::default()
        })
        .unwrap_err();
        assert_eq!(faults.len(), 1);
        files.shown(&faults.as_slice()[0])
    };
    assert_eq!(
        fault(&["one"], "two/a.proto"),
        "two/a.proto: the file lies under no include directory (there are: `one`): add the directory that its importers count from"
    );
    assert_eq!(
        fault(&["one", "two"], "two/a.proto"),
        "two/a.proto: the file is hidden by `one/a.proto`, which has the same name in an include directory that comes first: name that one, or change the order of the directories"
    );
    assert!(fault(&["one"], "one/none.proto").starts_with("one/none.proto: the file cannot be read: "));
    assert_eq!(fault(&["one"], "one"), "one: the file is no file: name a `.proto` file");
    assert_eq!(
        fault(&["bad"], "bad/b.proto"),
        "bad/b.proto: the file is not UTF-8 text in line 2: save it as UTF-8"
    );
}

#[test]
fn built_in_texts_replace_missing_files() {
    let files = Files::new(&[("a.proto", A)]);
    let sources = Sources {
        include: vec![files.dir().to_owned()],
        files: files.paths(),
        builtin: &[("sub/b.proto", B), ("a.proto", "not read")],
        ..Sources::default()
    };
    let loaded = load(&sources).unwrap();
    assert_eq!(names(&loaded.set), ["google/protobuf/empty.proto", "sub/b.proto", "a.proto"]);
    assert_eq!(loaded.read, files.paths());
    assert_eq!(loaded.shown["sub/b.proto"], "sub/b.proto");
}

#[test]
fn no_files_give_an_empty_set() {
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(loaded.set.file.len(), 0);
    assert_eq!(loaded.to_generate, [""; 0]);
}

/// Damaged files must give faults or be read, without a panic.
#[test]
fn damaged_files_never_panic() {
    let mut random = Random(0xdead_beef_5eed);
    for name in ["comments.proto", "proto2.proto", "proto3.proto", "bom.proto"] {
        let whole = std::fs::read(fixtures("good").join(name)).unwrap();
        for round in 0..120 {
            let mut bytes = whole.clone();
            if round % 2 == 0 {
                bytes.truncate(random.below(whole.len()));
            }
            for _ in 0..random.below(4) {
                if bytes.is_empty() {
                    break;
                }
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 => bytes[at] = b"{}[]();=.\"'/*<>-\n"[random.below(17)],
                    1 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                    2 => {
                        bytes.remove(at);
                    }
                    _ => {
                        let from = random.below(bytes.len());
                        let to = (from + random.below(40)).min(bytes.len());
                        let piece = bytes[from..to].to_vec();
                        bytes.splice(at..at, piece);
                    }
                }
            }
            let files = Files::new(&[("damaged.proto", "")]);
            std::fs::write(files.dir().join("damaged.proto"), &bytes).unwrap();
            let result = load(&Sources {
                include: vec![files.dir().to_owned(), fixtures("good")],
                files: files.paths(),
                ..Sources::default()
            });
            if let Err(faults) = result {
                assert!(!faults.is_empty());
                for fault in &faults {
                    assert!(
                        !fault.message.contains("refuses"),
                        "{fault}\n{}",
                        String::from_utf8_lossy(&bytes)
                    );
                }
            }
        }
    }
}

#[test]
fn random_input_never_panics() {
    let mut random = Random(0x0dd_5eed);
    for _ in 0..300 {
        let length = random.below(300);
        let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(32 + random.below(96)).unwrap()).collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _ = Files::new(&[("noise.proto", &text)]).load();
    }
}
