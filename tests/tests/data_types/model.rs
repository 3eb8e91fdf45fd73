//! Random sequences of updates by several clients, compared with models.
//!
//! Invariant: clients return contexts byte for byte as they were in the answers. The model
//! keeps its own.

use std::collections::BTreeSet;
use std::time::Duration;

use riak_client::riak_dt::map_field::MapFieldType;
use riak_client::riak_dt::map_update::FlagOp;
use riak_client::riak_dt::{DtFetchReq, DtOp, DtUpdateReq, MapField, MapOp, MapUpdate, SetOp};
use riak_client::riak_kv::RpbDelReq;
use riak_runtime::Blob;
use riak_testkit::{Clock, Store};

use crate::dice::Dice;
use crate::log::{Log, Seen};
use crate::requests::*;

const CLIENTS: usize = 3;
const ROUNDS: u64 = 60;

/// What a client has last read, in the terms of the node and of the model.
#[derive(Clone, Default)]
struct Client {
    context: Option<Blob>,
    seen: Option<Seen>,
}

/// A store and its model, for one kind of data type.
struct Simulation {
    store: Store,
    clock: Clock,
    log: Log,
    clients: [Client; CLIENTS],
    dice: Dice,
    kind: &'static str,
}

impl Simulation {
    fn new(kind: &'static str, seed: u64) -> Self {
        let (store, clock) = stores();
        let clients = [const { Client { context: None, seen: None } }; CLIENTS];
        Self { store, clock, log: Log::default(), clients, dice: Dice::new(seed), kind }
    }

    /// Lets one client read or forget what it has read, or deletes the object and perhaps
    /// reaps it; most often does nothing.
    fn random_event(&mut self) {
        let client = self.dice.below(CLIENTS);
        match self.dice.below(12) {
            0..=3 => {
                if let Some(context) = context(&self.store, self.kind) {
                    self.clients[client] = Client { context: Some(context), seen: Some(self.log.read()) };
                }
            }
            4 => self.clients[client] = Client::default(),
            5 if self.dice.below(5) == 0 => {
                let delete = RpbDelReq { r#type: Some(self.kind.into()), ..RpbDelReq::new("b", "k") };
                self.store.delete(&delete).unwrap();
                self.clock.advance(Duration::from_secs(self.dice.one_of(&[1, 10])));
                self.log.clear();
            }
            _ => {}
        }
        // Registers order their values by time.
        self.clock.advance(Duration::from_micros(1));
    }

    fn client(&mut self) -> Client {
        let client = self.dice.below(CLIENTS);
        self.clients[client].clone()
    }

    fn set_op(&mut self) -> SetOp {
        let names = |dice: &mut Dice| -> Vec<Blob> {
            (0..dice.below(3)).map(|_| dice.one_of(&["a", "b", "c", "d"]).into()).collect()
        };
        SetOp { adds: names(&mut self.dice), removes: names(&mut self.dice), ..SetOp::default() }
    }

    fn field(&mut self, depth: usize) -> MapField {
        let kinds = [
            MapFieldType::Counter,
            MapFieldType::Register,
            MapFieldType::Flag,
            MapFieldType::Set,
            MapFieldType::Map,
            MapFieldType::Map,
        ];
        let count = if depth == 0 { 4 } else { kinds.len() };
        MapField::new(self.dice.one_of(&["x", "y"]), self.dice.one_of(&kinds[..count]))
    }

    fn map_op(&mut self, depth: usize) -> MapOp {
        let removes = (0..self.dice.below(2)).map(|_| self.field(depth)).collect();
        let updates = (0..self.dice.below(4)).map(|_| self.field_update(depth)).collect();
        MapOp { removes, updates, ..MapOp::default() }
    }

    fn field_update(&mut self, depth: usize) -> MapUpdate {
        let mut update = MapUpdate::new(self.field(depth));
        match update.field.r#type {
            MapFieldType::Counter => {
                update.counter_op = counter(i64::try_from(self.dice.below(7)).unwrap() - 3).counter_op;
            }
            MapFieldType::Register => update.register_op = Some(self.dice.word().to_string().into()),
            MapFieldType::Flag => {
                update.flag_op = Some(self.dice.one_of(&[FlagOp::Enable, FlagOp::Disable]));
            }
            MapFieldType::Set => update.set_op = Some(self.set_op()),
            MapFieldType::Map => update.map_op = Some(self.map_op(depth - 1)),
        }
        update
    }

    /// Asserts that the node behaves as the model.
    fn check(&mut self, client: &Client, op: DtOp, accepted: bool, place: &str) {
        let request = with(client.context.as_ref(), update(self.kind, op));
        let result = self.store.update(&request);
        match (&result, accepted) {
            (Ok(_), true) => {}
            (Err(error), false) => {
                assert!(error.to_string().starts_with("{precondition,{not_present,"), "{place}: {error}");
            }
            _ => panic!("{place}: {result:?}, for {request:?}"),
        }
        let value = self.store.fetch(&fetch(self.kind)).unwrap().value.unwrap_or_default();
        assert_eq!(
            value.set_value,
            if self.kind == "sets" { self.log.elements() } else { vec![] },
            "{place}"
        );
        assert_eq!(value.map_value, if self.kind == "maps" { self.log.fields() } else { vec![] }, "{place}");
    }
}

#[test]
fn sets_match_their_model() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..ROUNDS {
        let mut simulation = Simulation::new("sets", seed);
        for step in 0..60 {
            simulation.random_event();
            let (client, op) = (simulation.client(), simulation.set_op());
            let result = simulation.log.update_set(&op, client.seen.as_ref());
            *if result.is_ok() { &mut accepted } else { &mut refused } += 1;
            let op = DtOp { set_op: Some(op), ..DtOp::default() };
            simulation.check(&client, op, result.is_ok(), &format!("seed {seed}, step {step}"));
        }
    }
    assert!(accepted > 1_000 && refused > 300, "{accepted} and {refused}");
}

#[test]
fn maps_match_their_model() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..ROUNDS {
        let mut simulation = Simulation::new("maps", seed);
        for step in 0..60 {
            simulation.random_event();
            let (client, op) = (simulation.client(), simulation.map_op(2));
            let result = simulation.log.update_map(&op, client.seen.as_ref());
            *if result.is_ok() { &mut accepted } else { &mut refused } += 1;
            let op = DtOp { map_op: Some(op), ..DtOp::default() };
            simulation.check(&client, op, result.is_ok(), &format!("seed {seed}, step {step}"));
        }
    }
    assert!(accepted > 1_000 && refused > 300, "{accepted} and {refused}");
}

/// A removal with a context takes nothing that was added later, in a set and in a set inside a map.
#[test]
fn a_removal_takes_only_what_its_context_has_seen() {
    for seed in 0..ROUNDS {
        for kind in ["sets", "maps"] {
            let mut simulation = Simulation::new(kind, seed);
            let op = |adds: &[Blob], removes: &[Blob]| {
                let set = SetOp { adds: adds.to_vec(), removes: removes.to_vec(), ..SetOp::default() };
                if kind == "sets" {
                    return DtOp { set_op: Some(set), ..DtOp::default() };
                }
                let field = MapField::new("s", MapFieldType::Set);
                map(vec![MapUpdate { set_op: Some(set), ..MapUpdate::new(field) }], vec![])
            };
            let names: Vec<Blob> = (0..8).map(|number| number.to_string().into()).collect();
            let some = |dice: &mut Dice| -> Vec<Blob> {
                names.iter().filter(|_| dice.below(2) == 0).cloned().collect()
            };
            let before = some(&mut simulation.dice);
            simulation.store.update(&update(kind, op(&before, &[]))).unwrap();
            let seen = context(&simulation.store, kind);
            let after = some(&mut simulation.dice);
            simulation.store.update(&update(kind, op(&after, &[]))).unwrap();
            for _ in 0..2 {
                simulation.store.update(&with(seen.as_ref(), update(kind, op(&[], &names)))).unwrap();
            }
            let value = simulation.store.fetch(&fetch(kind)).unwrap().value.unwrap();
            let left = if kind == "sets" { value.set_value } else { value.map_value[0].set_value.clone() };
            assert_eq!(left, after, "seed {seed}, {kind}");
        }
    }
}

/// A context belongs to one key: elsewhere, the same numbers are other events.
#[test]
fn a_context_of_another_key_removes_nothing() {
    let store = store();
    let of = |key: &'static str, op| DtUpdateReq { key: Some(key.into()), ..update("sets", op) };
    for key in ["k", "other"] {
        store.update(&of(key, set(&["x", "y"], &[]))).unwrap();
    }
    let other = context(&store, "sets");
    assert_ne!(other, store.fetch(&DtFetchReq::new("b", "other", "sets")).unwrap().context);
    store.update(&with(other.as_ref(), of("other", set(&[], &["x"])))).unwrap();
    let left = store.fetch(&DtFetchReq::new("b", "other", "sets")).unwrap().value.unwrap();
    assert_eq!(left.set_value, ["x", "y"]);
}

#[test]
fn counters_sum_up_and_grow_only_types_keep_everything() {
    let names: Vec<&'static str> = (0..200).map(|number| &*number.to_string().leak()).collect();
    let mut dice = Dice::new(1);
    let (store, mut sum, mut all) = (store(), 0, BTreeSet::new());
    for _ in 0..300 {
        let by = i64::try_from(dice.below(2_000)).unwrap() - 1_000;
        sum += by;
        store.update(&update("counters", counter(by))).unwrap();
        let some: Vec<_> = (0..dice.below(4)).map(|_| dice.one_of(&names)).collect();
        all.extend(some.iter().copied());
        store.update(&update("gsets", gset(&some))).unwrap();
        store.update(&update("hlls", hll(&some))).unwrap();
        let value = |kind| store.fetch(&fetch(kind)).unwrap().value.unwrap();
        assert_eq!(value("counters").counter_value, Some(sum));
        assert_eq!(value("gsets").gset_value, all.iter().copied().map(Blob::from).collect::<Vec<_>>());
        // Counts this small are exact, or off by one.
        assert!(value("hlls").hll_value.unwrap().abs_diff(all.len() as u64) <= 1);
    }
    assert!(all.len() > 150);
}
