//! Growth of the cost with the number of keys, of rows, and with nesting depth, in
//! nanoseconds per element.
//!
//! Invariant: sizes are measured one after the other, and each frees its values before the
//! next, so each contender holds a million rows only once.

use riak_runtime::Message;

use crate::contenders::contend;
use crate::measure::{Case, Group};
use crate::options::Options;
use crate::values::{datatype, listing, rows};

const COUNTS: [i32; 6] = [10, 100, 1000, 10_000, 100_000, 1_000_000];
const DEPTHS: [i32; 6] = [1, 10, 30, 50, 70, 90];

/// Measures the curves and prints them.
pub(crate) fn print(options: &Options) {
    if options.tsv {
        println!("curve\tgroup\tcontender\telements\tns_per_element");
    }
    if options.wants_case("keys") {
        curve("keys", &COUNTS, options, |count| {
            let mut case =
                Case::new("keys", 18, listing::keys(count.unsigned_abs() as usize).encode_to_vec());
            contend!(&mut case, riak_kv, RpbListKeysResp);
            case
        });
    }
    if options.wants_case("rows") {
        curve("rows", &COUNTS, options, |count| {
            let mut case = Case::new("rows", 91, rows::rows(count).encode_to_vec());
            contend!(&mut case, riak_ts, TsQueryResp);
            case
        });
    }
    if options.wants_case("depth") {
        curve("depth", &DEPTHS, options, |depth| {
            let mut case =
                Case::new("depth", 81, datatype::nesting(depth.unsigned_abs() as usize).encode_to_vec());
            contend!(&mut case, riak_dt, DtFetchResp);
            case
        });
    }
}

/// A row of the table: a group, a contender, and nanoseconds per element at each size.
type Line = (Group, &'static str, Vec<f64>);

fn curve(name: &str, sizes: &[i32], options: &Options, build: impl Fn(i32) -> Case) {
    let mut lines: Vec<Line> = Vec::new();
    let mut notes = Vec::new();
    for size in sizes {
        let mut case = build(*size);
        options.keep_wanted(&mut case);
        // A round with a million elements takes seconds.
        let most = (50_000_000 / case.body.len()).max(5);
        case.run(options.rounds.min(most));
        notes.append(&mut case.notes);
        for one in case.measurements.iter().filter(|one| one.group != Group::Floor) {
            let per_element = one.best / f64::from(*size);
            if options.tsv {
                println!("{name}\t{}\t{}\t{size}\t{per_element:.2}", one.group.name(), one.contender);
            }
            match lines.iter_mut().find(|line| (line.0, line.1) == (one.group, one.contender)) {
                Some(line) => line.2.push(per_element),
                None => lines.push((one.group, one.contender, vec![per_element])),
            }
        }
    }
    if !options.tsv {
        table(name, sizes, lines);
    }
    for note in notes.iter().filter(|note| note.contains("refuses")) {
        eprintln!("note: {note}");
    }
}

fn table(name: &str, sizes: &[i32], mut lines: Vec<Line>) {
    lines.sort_by_key(|line| line.0);
    print!("\n{:<32}", format!("{name}: ns an element"));
    for size in sizes {
        print!("{size:>10}");
    }
    println!();
    for (group, contender, cells) in lines {
        print!("  {:<15} {contender:<14}", group.name());
        for cell in cells {
            print!("{cell:>10.1}");
        }
        println!();
    }
}
