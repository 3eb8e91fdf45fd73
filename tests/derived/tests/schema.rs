//! Derived types, printed as schemas. protoc reads the schemas, the generator reads them as
//! what was declared, and the code generated from them encodes the same bytes.

mod random;
mod reading;

use std::{fs, thread};

use protoc_gen_riak::Config;
use riak_codegen::model::Schema;
use riak_derived::own::{classic, mixed, modern};
use riak_derived::{Twin, derived, generated, own, twin};
use riak_runtime::schema::SchemaError;
use riak_runtime::{Coded, Request, RiakMessage};

use reading::{proto, through_protoc};

/// The number of random messages of each type.
const RANDOM: usize = 10_000;

#[test]
fn riaks_messages_are_printed_as_in_their_schemas() {
    let text = derived::schema().print().unwrap();
    let printed = through_protoc("printed.proto", &text);
    let files = ["riak.proto", "riak_kv.proto", "riak_dt.proto", "riak_services.proto"];
    let original = riak_declare::schema(proto(), files.map(|file| proto().join(file)).into()).unwrap();
    for twin in derived::TWINS {
        // Compares declarations, which contain everything that the codec depends on.
        let [one, other] = [&printed, &original].map(|schema| {
            let text = riak_declare::declarations(schema, |message| message.full_name == twin.name);
            // Only a service says how a request is answered, and services are not printed.
            text[text.find("pub struct").unwrap()..].replace(", response = RpbMembershipResp, bodyless", "")
        });
        assert_eq!(one, other);
        let code = |schema: &Schema| {
            schema.messages.iter().find(|message| message.full_name == twin.name).unwrap().code
        };
        assert_eq!(code(&printed), twin.code, "{}", twin.name);
        assert_eq!(code(&original), twin.code, "{}", twin.name);
    }
    let own = |name: &str| !name.starts_with("google.") && !name.starts_with("riak.");
    for item in printed.enums.iter().filter(|item| own(&item.full_name)) {
        let original = original.enums.iter().find(|other| other.full_name == item.full_name);
        let original = original.unwrap_or_else(|| panic!("{} is no enum of Riak's", item.full_name));
        let values = |item: &riak_codegen::model::Enum| {
            item.values.iter().map(|value| (value.name.clone(), value.number)).collect::<Vec<_>>()
        };
        assert_eq!(values(item), values(original), "{}", item.full_name);
    }
}

#[test]
fn code_generated_from_printed_types_encodes_the_same() {
    use generated::{classic as classic_again, mixed as mixed_again, modern as modern_again};
    let sets: [(&str, String, &[Twin]); 3] = [
        (
            "classic.proto",
            classic::schema().print().unwrap(),
            &[
                twin::<classic::OrderReq, classic_again::OrderReq>("classic.OrderReq", Some(232)),
                twin::<classic::OrderResp, classic_again::OrderResp>("classic.OrderResp", Some(233)),
                twin::<classic::WatchReq, classic_again::WatchReq>("classic.WatchReq", Some(234)),
                twin::<classic::Nothing, classic_again::Nothing>("classic.Nothing", None),
                twin::<classic::Item, classic_again::Item>("classic.Item", None),
                twin::<classic::Level, classic_again::item::Level>("classic.Item.Level", None),
            ],
        ),
        (
            "modern.proto",
            modern::schema().print().unwrap(),
            &[twin::<modern::Sample, modern_again::Sample>("modern.Sample", Some(240))],
        ),
        (
            "mixed.proto",
            mixed::schema().print().unwrap(),
            &[
                twin::<mixed::Mixed<mixed::Part>, mixed_again::Mixed>("mixed.Mixed", None),
                twin::<mixed::Part, mixed_again::Part>("mixed.Part", None),
            ],
        ),
    ];
    for (name, text, twins) in sets {
        let schema = through_protoc(name, &text);
        thread::scope(|scope| {
            for twin in twins {
                let schema = &schema;
                scope.spawn(move || random::compare(twin, schema, RANDOM));
            }
        });
    }
}

#[test]
fn operations_are_printed() {
    fn compare<D: Request, G: Request>() {
        let [one, other] = [D::OPERATION, G::OPERATION];
        // The generated operation has the name of its method.
        let name = one.name;
        assert_eq!(
            riak_runtime::Operation { name, ..one.clone() },
            riak_runtime::Operation { name, ..other.clone() }
        );
    }
    use generated::classic as again;
    compare::<classic::OrderReq, again::OrderReq>();
    compare::<classic::WatchReq, again::WatchReq>();
    compare::<classic::CountReq, again::CountReq>();
    assert_eq!(<modern::Sample as Coded>::CODE, <generated::modern::Sample as Coded>::CODE);
}

#[test]
fn the_generators_parser_reads_printed_schemas() {
    let dir = tempfile::tempdir().unwrap();
    let sets = [
        ("classic.proto", own::classic::schema()),
        ("modern.proto", own::modern::schema()),
        ("riak_types.proto", derived::schema()),
    ];
    for (name, schema) in sets {
        let file = dir.path().join(name);
        let text = schema.print().unwrap();
        fs::write(&file, &text).unwrap();
        let files = Config::new().generate(&[&file], &[dir.path(), &proto()]).unwrap();
        assert!(!files.is_empty(), "{name}: nothing is generated");
    }
}

#[test]
fn types_that_no_schema_can_express_are_refused_with_a_remedy() {
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(enum)]
    enum Closed {
        #[default]
        One = 1,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct Implicit {
        #[riak(tag = 1, enum, implicit)]
        closed: Closed,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct Map {
        #[allow(clippy::zero_sized_map_values, reason = "an enum of one value is a value, too")]
        #[riak(tag = 1, enum)]
        map: std::collections::BTreeMap<u32, Closed>,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(rename = "one.Foreign")]
    struct Foreign {
        #[riak(tag = 1)]
        pair: Option<riak_client::riak::RpbPair>,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(rename = "two.Größe")]
    struct Umlaut;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(rename = "Umlaut")]
    struct Other(#[riak(tag = 1)] u32);

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(rename = "Umlaut")]
    struct Another(#[riak(tag = 2)] u32);

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(rename = "One")]
    struct One(#[riak(tag = 1, enum)] Option<Closed>);

    #[derive(Clone, Debug, PartialEq, RiakMessage)]
    #[riak(oneof)]
    enum Oneof {
        #[riak(tag = 1)]
        One(u32),
    }

    use riak_runtime::schema::Schema;
    let error = |schema: Schema| schema.print().unwrap_err().to_string();
    let checks = [
        (
            error(Schema::new().with::<Implicit>()),
            "Implicit.closed is `implicit`, which fields of closed enums",
        ),
        (error(Schema::new().with::<Map>()), "Map.map is a map to Closed, and the first value"),
        (error(Schema::new().with::<Foreign>()), "one.Foreign.pair refers to riak_client::"),
        (error(Schema::new().with::<Umlaut>()), "\"Größe\" of two.Größe is not a valid name"),
        (error(Schema::new().with::<Other>().with::<Another>()), "two different types are called Umlaut"),
        (
            error(Schema::new().with::<Other>().with::<Umlaut>()),
            "Umlaut and two.Größe are of different packages",
        ),
        (error(Schema::new().with::<One>()), "One and Closed both define the name One"),
        (error(Schema::new().with::<Oneof>()), "is a part of a message"),
    ];
    for (error, begin) in checks {
        assert!(error.contains(begin), "{error}");
    }
    assert!(matches!(
        Schema::new().with::<Foreign>().print(),
        Err(SchemaError::NotDerived { rust: "riak_client::generated::riak::RpbPair", .. })
    ));
    // It succeeds with the import of the file that declares the type.
    let text = Schema::new().with::<Foreign>().import("riak.proto").print().unwrap();
    through_protoc("foreign.proto", &text);
}
