//! The tokens of derived types, formatted: held against a file, so that what
//! the derive writes can be read.

use std::path::Path;

/// The types, as their user writes them.
const TYPES: &[&str] = &[
    r#"
    #[riak(code = 232, response = PriceResp, retry = "safe", borrowed = PriceReqRef)]
    struct PriceReq {
        #[riak(tag = 1)]
        items: Vec<Item>,
        #[riak(tag = 2, default = "EUR")]
        currency: Option<Blob>,
        #[riak(tag = 3, secret)]
        token: Option<String>,
        #[riak(tag = 4, timeout)]
        timeout: Option<u32>,
        #[riak(unknown)]
        unknown_fields: UnknownFields,
    }
    "#,
    r"
    #[riak(owned = Item)]
    struct ItemRef<'a> {
        #[riak(tag = 1)]
        name: &'a [u8],
        #[riak(tag = 2, packed)]
        sizes: Vec<u32>,
        #[riak(tag = 3, enum)]
        color: Option<Color>,
        #[riak(oneof, tags(4, 5))]
        origin: Option<Origin<'a>>,
    }
    ",
    r#"
    struct Page<T>(#[riak(tag = 1)] Vec<T>, #[riak(tag = 2, uint64, with = "millis")] Option<SystemTime>);
    "#,
    r"
    #[riak(oneof)]
    enum Origin<'a> {
        #[riak(tag = 4)]
        Country(&'a str),
        #[riak(tag = 5)]
        Shelf(u32),
    }
    ",
    r"
    #[riak(enum)]
    enum Color {
        Red = 1,
        Green,
    }
    ",
    r"
    #[riak(frames)]
    enum AnyShop {
        PriceReq(PriceReq),
        PriceResp(PriceResp),
    }
    ",
];

#[test]
fn derived_code_reads_like_generated_code() {
    let mut text = String::from("// What #[derive(RiakMessage)] writes: see src/golden.rs.\n");
    for declaration in TYPES {
        let input = syn::parse_str(declaration).unwrap();
        let file = syn::parse2(super::derive(&input)).unwrap();
        let written = declaration
            .lines()
            .map(|line| line.strip_prefix("    ").unwrap_or(line))
            .filter(|line| !line.is_empty());
        text.push('\n');
        written.for_each(|line| text.extend(["// ", line, "\n"]));
        text.push_str(&prettyplease::unparse(&file));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/derived.rs");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, text).unwrap();
    } else {
        let golden = std::fs::read_to_string(&path).unwrap();
        assert!(golden == text, "{}: run with UPDATE_GENERATED=1 and look at what changes", path.display());
    }
}
