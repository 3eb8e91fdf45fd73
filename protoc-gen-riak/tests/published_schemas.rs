//! Tests with real input: the schemas that another client has published, unmodified, with only their
//! code table and with the overlay.
//!
//! The schemas are not part of this repository. `RIAK_PUBLISHED_SCHEMAS` is the directory of the npm
//! package `basho-riak-client` 2.4.0 that contains them; the tests are skipped if it is not set.

mod generating;

use std::collections::BTreeMap;
use std::path::PathBuf;

use generating::scratch::{Scratch, Setup};
use generating::{Schemas, by_command, riak};
use protoc_gen_riak::resolve::{CodeTable, Options, resolve};
use protoc_gen_riak::source::{Sources, load};
use riak_codegen::model::{Field, Message, Mode, Operation, Presence, Schema, Type};

/// The code table that accompanies the schemas.
const CODES: &str = "riak_pb_messages.csv";

/// Returns the published schemas, if they are available.
fn published() -> Option<Schemas> {
    let Some(dir) = std::env::var_os("RIAK_PUBLISHED_SCHEMAS") else {
        eprintln!("skipped: RIAK_PUBLISHED_SCHEMAS does not say where the published schemas are");
        return None;
    };
    Some(Schemas::below(PathBuf::from(dir)))
}

/// Resolves schemas into a model, with a code table or with the overlay.
fn model(schemas: &Schemas, codes: bool) -> Schema {
    let overlays = if codes { Vec::new() } else { vec!["riak_services.proto".into()] };
    let sources = Sources {
        include: vec![schemas.dir.clone()],
        files: schemas.files.clone(),
        overlays,
        builtin: protoc_gen_riak::builtin::FILES,
    };
    let loaded = load(&sources).unwrap_or_else(|faults| panic!("{faults}"));
    let table = codes.then(|| {
        let text = std::fs::read_to_string(schemas.dir.join(CODES)).unwrap();
        CodeTable::parse(CODES, &text).unwrap_or_else(|faults| panic!("{faults}"))
    });
    let options = Options { codes: table, ..Options::default() };
    let (schema, notices) =
        resolve(&loaded.set, &loaded.to_generate, &options).unwrap_or_else(|faults| panic!("{faults}"));
    // Inferences and removals are notices.
    assert!(!loaded.notices.is_empty() || !notices.is_empty());
    schema
}

fn ours() -> Schema {
    let riak = riak();
    let sources = Sources { include: vec![riak.dir.clone()], files: riak.files, ..Sources::default() };
    let loaded = load(&sources).unwrap();
    resolve(&loaded.set, &loaded.to_generate, &Options::default()).unwrap().0
}

#[test]
fn both_ways_compile() {
    let Some(theirs) = published() else { return };
    let codes = theirs.dir.join(CODES);
    let scratch = Scratch::new(&Setup { name: "published", ..Setup::PLAIN });
    let by_codes = by_command(&theirs, &[("codes", codes.to_str().unwrap())]);
    let by_overlay = by_command(&theirs, &[("overlay", "riak_services.proto")]);
    assert!(by_overlay.contains_key("riak_services.rs") && !by_codes.contains_key("riak_services.rs"));
    assert!(by_codes["riak_kv.rs"].contains("pub async fn list_keys"));
    scratch.generated("src/by_codes", &by_codes);
    scratch.generated("src/by_overlay", &by_overlay);
    scratch.write("src/lib.rs", "#![deny(warnings)]\npub mod by_codes;\npub mod by_overlay;\n");
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
}

/// Formats a field's number, type and label.
fn shape(schema: &Schema, field: &Field) -> String {
    let ty = match field.ty {
        Type::Message(id) => schema.message(id).full_name.clone(),
        Type::Enum(id) => schema.enumeration(id).full_name.clone(),
        ty => format!("{ty:?}"),
    };
    let label = match field.presence {
        Presence::Repeated { .. } => "Repeated".to_owned(),
        presence => format!("{presence:?}"),
    };
    format!("{label} {ty} = {} {:?}", field.number, field.default)
}

fn by_name<'s>(messages: impl IntoIterator<Item = &'s Message>) -> BTreeMap<&'s str, &'s Message> {
    messages.into_iter().map(|message| (message.full_name.as_str(), message)).collect()
}

/// The fields whose label is different in our schemas, since later releases made them optional.
const RELAXED: [&str; 1] = ["TsColumnDescription.type"];

/// The enum values that later releases removed; our schemas reserve their numbers.
const GONE: [&str; 1] = ["TsColumnType.BLOB"];

/// The fields that later releases added.
const ADDED: &[&str] = &[
    "DtFetchReq.node_confirms",
    "DtUpdateReq.node_confirms",
    "RpbCounterGetReq.node_confirms",
    "RpbCounterUpdateReq.node_confirms",
    "RpbGetReq.node_confirms",
    "RpbPutReq.node_confirms",
];

/// The messages that later releases added.
const ADDED_MESSAGES: &[&str] = &[
    "RpbAaeFoldBucket",
    "RpbAaeFoldEraseKeysReq",
    "RpbAaeFoldFetchClocksNValReq",
    "RpbAaeFoldFetchClocksRangeReq",
    "RpbAaeFoldFindKeysReq",
    "RpbAaeFoldFindTombsReq",
    "RpbAaeFoldKeyCountResp",
    "RpbAaeFoldKeyValueResp",
    "RpbAaeFoldListBucketsReq",
    "RpbAaeFoldListBucketsResp",
    "RpbAaeFoldMergeBranchNValReq",
    "RpbAaeFoldMergeRootNValReq",
    "RpbAaeFoldMergeTreesRangeReq",
    "RpbAaeFoldObjectStatsReq",
    "RpbAaeFoldReapTombsReq",
    "RpbAaeFoldRepairKeysReq",
    "RpbAaeFoldReplKeysReq",
    "RpbAaeFoldTreeResp",
    "RpbClusterMemberEntry",
    "RpbFetchReq",
    "RpbFetchResp",
    "RpbKeysCount",
    "RpbKeysValue",
    "RpbMembershipReq",
    "RpbMembershipResp",
    "RpbPushReq",
    "RpbPushResp",
    "RpbRTEReq",
    "RpbReplGetClusterIdReq",
    "RpbReplGetClusterIdResp",
    "RpbReplGetReq",
];

#[test]
fn their_messages_are_ours() {
    let Some(theirs) = published() else { return };
    let (theirs, ours) = (model(&theirs, false), ours());
    let (their_messages, our_messages) = (by_name(&theirs.messages), by_name(&ours.messages));
    let mut added = Vec::new();
    let mut compared = 0;
    for (name, message) in &their_messages {
        if name.starts_with("riak.") || name.starts_with("google.") {
            continue;
        }
        let Some(counterpart) = our_messages.get(name) else { panic!("{name} is missing in ours") };
        for field in &message.fields {
            let path = format!("{name}.{}", field.name);
            let Some(twin) = counterpart.fields.iter().find(|twin| twin.name == field.name) else {
                panic!("{path} is missing in ours");
            };
            let (one, other) = (shape(&theirs, field), shape(&ours, twin));
            if RELAXED.contains(&path.as_str()) {
                assert_ne!(one, other, "{path}");
                assert_eq!(one.replace("Required", "Explicit"), other, "{path}");
                continue;
            }
            assert_eq!(one, other, "{path}");
            compared += 1;
        }
        let more = counterpart
            .fields
            .iter()
            .filter(|twin| message.fields.iter().all(|field| field.name != twin.name));
        added.extend(more.map(|field| format!("{name}.{}", field.name)));
    }
    assert!(compared > 300, "only {compared} fields were compared");
    assert_eq!(added, ADDED, "fields that only ours have");
    let frames = |name: &str| name.starts_with("riak.") || name.contains('.');
    let only_ours = our_messages.keys().filter(|name| !frames(name) && !their_messages.contains_key(*name));
    let only_ours: Vec<&str> = only_ours.copied().collect();
    assert_eq!(only_ours, ADDED_MESSAGES, "messages that only ours have");
    // Enums have the same values.
    for declared in &theirs.enums {
        let Some(twin) = ours.enums.iter().find(|twin| twin.full_name == declared.full_name) else {
            panic!("{} is missing in ours", declared.full_name);
        };
        let values = |declared: &riak_codegen::model::Enum| {
            let named = |name: &str| format!("{}.{name}", declared.full_name);
            let values = declared.values.iter().map(|value| (named(&value.name), value.number));
            values.filter(|(name, _)| !GONE.contains(&name.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(values(declared), values(twin), "{}", declared.full_name);
    }
}

fn operations(schema: &Schema) -> BTreeMap<u8, &Operation> {
    let operations = schema.services().flat_map(|service| &service.operations);
    operations.map(|operation| (operation.request_code, operation)).collect()
}

/// Formats the number of responses, and what marks the last one.
fn mode(schema: &Schema, operation: &Operation) -> String {
    let field = |message, index: usize| &schema.message(message).fields[index].name;
    match operation.mode {
        Mode::Unary => "one".to_owned(),
        Mode::Stream { done } => format!("many to {}", field(operation.response, done)),
        Mode::Conditional { done, stream_if } => format!(
            "one, or with {} many to {}",
            field(operation.request, stream_if),
            field(operation.response, done)
        ),
    }
}

#[test]
fn no_stream_becomes_unary() {
    let Some(theirs) = published() else { return };
    let (by_codes, by_overlay, ours) = (model(&theirs, true), model(&theirs, false), ours());
    let (inferred, declared, all) = (operations(&by_codes), operations(&by_overlay), operations(&ours));
    let mut streams = 0;
    for (code, operation) in &declared {
        // The overlay gives their schemas the same operations as ours …
        assert_eq!(mode(&by_overlay, operation), mode(&ours, all[code]), "{}", operation.name);
        // … and so do the names, for the requests that they pair.
        let Some(guess) = inferred.get(code) else { continue };
        assert_eq!(mode(&by_codes, guess), mode(&by_overlay, operation), "{}", operation.name);
        assert_eq!(guess.response_code, operation.response_code, "{}", operation.name);
        streams += usize::from(operation.mode != Mode::Unary);
    }
    assert_eq!(streams, 7, "streams inferred from names alone");
    let methods = |found: &BTreeMap<u8, &Operation>| found.len();
    assert_eq!((methods(&inferred), methods(&declared)), (32, 38));
}
