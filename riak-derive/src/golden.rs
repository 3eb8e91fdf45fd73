//! Comparison of derived code with a golden file, where it can be read, and with
//! generated code.

use std::collections::BTreeMap;
use std::path::Path;

use quote::ToTokens;

/// The declarations of the derived types.
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
fn derived_code_matches_the_golden_file() {
    let mut text = String::from("// What #[derive(RiakMessage)] writes: see src/golden.rs.\n");
    for declaration in TYPES {
        let input = syn::parse_str(declaration).unwrap();
        let file = syn::parse2(super::derive(&input, false)).unwrap();
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

/// Collects the formatted `Message` and `Decode` impls, by trait and type.
fn collect_codecs(items: &[syn::Item], found: &mut BTreeMap<String, String>) {
    for item in items {
        match item {
            syn::Item::Impl(item) => {
                let Some((path, _)) = &item.trait_ else { continue };
                let Some(name) = path.segments.last().map(|segment| segment.ident.to_string()) else {
                    continue;
                };
                if matches!(name.as_str(), "Message" | "Decode") {
                    let mut item = item.clone();
                    // A derive does not see whether the messages that a type always has
                    // are in boxes, and adds up what they say. The generator knows that
                    // Riak's are not.
                    item.items
                        .retain(|item| !matches!(item, syn::ImplItem::Const(it) if it.ident == "BEHIND"));
                    // A name that the declaration uses is written as a full path.
                    let text =
                        item.to_token_stream().to_string().replace(":: riak_runtime :: wire ::", "wire ::");
                    let text = prettyplease::unparse(&syn::parse_str(&text).unwrap());
                    found.insert(format!("{name} for {}", item.self_ty.to_token_stream()), text);
                }
            }
            syn::Item::Const(item) => {
                if let syn::Expr::Block(block) = &*item.expr {
                    let items = block.block.stmts.iter().filter_map(|statement| match statement {
                        syn::Stmt::Item(item) => Some(item.to_token_stream()),
                        _ => None,
                    });
                    let items: Vec<syn::Item> = items.map(|item| syn::parse2(item).unwrap()).collect();
                    collect_codecs(&items, found);
                }
            }
            _ => {}
        }
    }
}

/// Derived and generated codecs are the same code, so they cannot differ in speed.
#[test]
fn derived_codecs_equal_generated_codecs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let proto = root.join("proto");
    // The services say which messages are encoded without a body. The declarations leave
    // those out.
    let files = ["riak_kv.proto", "riak_dt.proto", "riak_services.proto"].map(|file| proto.join(file));
    let schema = riak_declare::schema(proto, files.into()).unwrap();
    let declarations = riak_declare::declarations(&schema, |message| !message.bodyless);
    let declarations = syn::parse_file(&declarations).unwrap();
    let mut derived = BTreeMap::new();
    for item in declarations.items.iter().filter(|item| matches!(item, syn::Item::Struct(_))) {
        let input = syn::parse2(item.to_token_stream()).unwrap();
        collect_codecs(&syn::parse2::<syn::File>(super::derive(&input, false)).unwrap().items, &mut derived);
    }
    let mut compared = 0;
    for file in ["riak_kv.rs", "riak_dt.rs"] {
        let text =
            std::fs::read_to_string(root.join("runtime/riak-client/src/generated").join(file)).unwrap();
        let mut generated = BTreeMap::new();
        collect_codecs(&syn::parse_file(&text).unwrap().items, &mut generated);
        for (name, body) in generated {
            let Some(derived_body) = derived.get(&name) else { continue };
            assert_eq!(*derived_body, body, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 200, "only {compared} impls were compared");
}
