//! Reports: the results as lines for programs, or as tables for people.

use std::collections::BTreeSet;

use crate::measure::{Case, Group};

/// The target: how many times as fast as the fastest peer.
pub(crate) const BAR: f64 = 1.5;

/// The target for derived types: the maximum multiple of the generated type's time.
const DERIVED_BAR: f64 = 1.03;

/// The header of the lines that [`tsv`] prints.
pub(crate) const TSV_HEADER: &str = "case\tgroup\tcontender\tmin_ns\tratio_to_memcpy\tbytes";

/// Prints one line for each measurement.
pub(crate) fn tsv(case: &Case, wanted: &dyn Fn(Group) -> bool) {
    let floor = case.floor();
    for measurement in &case.measurements {
        if measurement.group == Group::Floor || wanted(measurement.group) {
            println!(
                "{}\t{}\t{}\t{:.1}\t{:.2}\t{}",
                case.name,
                measurement.group.name(),
                measurement.contender,
                measurement.best,
                measurement.best / floor,
                measurement.bytes
            );
        }
    }
}

/// Prints the table of one case: contenders down, groups across, nanoseconds and the
/// multiple of `memcpy` in each cell, and our lead at the bottom.
pub(crate) fn table(case: &Case, wanted: &dyn Fn(Group) -> bool) {
    let groups: Vec<Group> = Group::COMPARED.into_iter().filter(|group| wanted(*group)).collect();
    let floor = case.floor();
    println!("\n{} ({} bytes, memcpy {floor:.1} ns)", case.name, case.body.len());
    print!("  {:<20}", "");
    for group in &groups {
        print!("{:>24}", group.name());
    }
    println!();
    let mut seen = BTreeSet::new();
    for measurement in &case.measurements {
        if measurement.group == Group::Floor || !seen.insert(measurement.contender) {
            continue;
        }
        print!("  {:<20}", measurement.contender);
        for group in &groups {
            match case.best(*group, |other| other.contender == measurement.contender) {
                Some(cell) => print!("{:>13.0} ns{:>7.1}x", cell.best, cell.best / floor),
                None => print!("{:>24}", "-"),
            }
        }
        println!();
    }
    print!("  {:<20}", "riak leads by");
    for group in &groups {
        print!("{:>24}", lead(case, *group));
    }
    println!();
}

/// Prints the table of all cases: our lead in each cell, and over which peer.
pub(crate) fn summary(cases: &[Case], wanted: &dyn Fn(Group) -> bool) {
    let groups: Vec<Group> = Group::COMPARED.into_iter().filter(|group| wanted(*group)).collect();
    println!("\nTimes as fast as the fastest peer (the bar is {BAR}; cells below it are marked <)");
    print!("  {:<20}", "");
    for group in &groups {
        print!("{:>24}", group.name());
    }
    println!();
    let (mut cells, mut below) = (0, 0);
    for case in cases {
        print!("  {:<20}", case.name);
        for group in &groups {
            cells += usize::from(case.lead(*group).is_some());
            below += usize::from(case.lead(*group).is_some_and(|(lead, _)| lead < BAR));
            print!("{:>24}", lead(case, *group));
        }
        println!();
    }
    println!("{} of {cells} cells reach the bar", cells - below);
    derived(cases, &groups);
}

/// Prints the table of derived types: the time of each relative to the generated type.
fn derived(cases: &[Case], groups: &[Group]) {
    println!(
        "\nWhat a derived type takes, in times of the generated one (the bar is {DERIVED_BAR} on the whole)"
    );
    let mut logarithms = Vec::new();
    for case in cases {
        print!("  {:<20}", case.name);
        for group in groups {
            match case.derived(*group) {
                Some(ratio) => {
                    logarithms.push(ratio.ln());
                    print!("{ratio:>24.3}");
                }
                None => print!("{:>24}", "-"),
            }
        }
        println!();
    }
    if !logarithms.is_empty() {
        #[expect(clippy::cast_precision_loss, reason = "there are some dozens")]
        let mean = (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
        println!("  {mean:.3} in the geometric mean of {} cells", logarithms.len());
    }
}

fn lead(case: &Case, group: Group) -> String {
    case.lead(group).map_or_else(
        || "-".to_owned(),
        |(lead, peer)| {
            let mark = if lead < BAR { "< " } else { "" };
            format!("{mark}{lead:.2} {}", peer.contender)
        },
    )
}
