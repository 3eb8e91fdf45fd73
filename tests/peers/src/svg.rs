//! A bar chart of the results.
//!
//! Invariant: within a panel, the length of a bar is proportional to the contender's time,
//! relative to the slowest. Panels are independent of each other.

use std::fmt::Write;

use crate::measure::{Case, Group, Measurement};

const PANEL_WIDTH: usize = 400;
const LABEL_WIDTH: usize = 100;
const BAR_HEIGHT: usize = 14;
const PANEL_HEAD: usize = 26;
const MARGIN: usize = 16;
/// The width reserved for the number after a bar.
const NUMBER_WIDTH: usize = 84;

/// Draws the chart, with one row for each case and one panel for each group.
pub(crate) fn chart(cases: &[Case], wanted: &dyn Fn(Group) -> bool) -> String {
    let groups: Vec<Group> = Group::COMPARED.into_iter().filter(|group| wanted(*group)).collect();
    let width = MARGIN + groups.len() * (PANEL_WIDTH + MARGIN);
    let mut body = String::new();
    let mut top = MARGIN;
    for case in cases {
        let mut height = 0;
        for (column, group) in groups.iter().enumerate() {
            let left = MARGIN + column * (PANEL_WIDTH + MARGIN);
            let bars: Vec<&Measurement> =
                case.measurements.iter().filter(|one| one.group == *group).collect();
            panel(&mut body, (left, top), case, *group, &bars);
            height = height.max(PANEL_HEAD + bars.len() * BAR_HEIGHT);
        }
        top += height + MARGIN;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{top}\" \
         viewBox=\"0 0 {width} {top}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{top}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn panel(out: &mut String, (left, top): (usize, usize), case: &Case, group: Group, bars: &[&Measurement]) {
    let lead = case
        .lead(group)
        .map_or(String::new(), |(lead, peer)| format!(": {lead:.2} times as fast as {}", peer.contender));
    let title = format!("{} {}{lead}", case.name, group.name());
    text(out, left, top + 14, "start", &format!("font-weight=\"bold\" fill=\"#222222\">{}", escape(&title)));
    let slowest = bars.iter().map(|bar| bar.best).fold(f64::MIN_POSITIVE, f64::max);
    for (row, bar) in bars.iter().enumerate() {
        let y = top + PANEL_HEAD + row * BAR_HEIGHT;
        let full = (PANEL_WIDTH - LABEL_WIDTH - NUMBER_WIDTH) as f64;
        let length = full * bar.best / slowest;
        let color = if bar.is_ours() { "#c2410c" } else { "#94a3b8" };
        let x = left + LABEL_WIDTH;
        text(out, x - 6, y + 10, "end", &format!("fill=\"#222222\">{}", escape(bar.contender)));
        writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" fill=\"{color}\"/>",
            BAR_HEIGHT - 3
        )
        .expect("a String grows");
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" fill=\"#222222\">{}</text>",
            x as f64 + length + 4.0,
            y + 10,
            time(bar.best)
        )
        .expect("a String grows");
    }
}

fn text(out: &mut String, x: usize, y: usize, anchor: &str, attributes_and_text: &str) {
    writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" {attributes_and_text}</text>")
        .expect("a String grows");
}

/// Formats nanoseconds with about three digits.
fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e5 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.0} µs", ns / 1e3),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        let mut case = Case::new("a<b", 1, vec![0; 8]);
        case.add(Group::EncodeNew, "riak", || ());
        case.add(Group::EncodeNew, "peer", || ());
        case.measurements[1].best = 100.0;
        case.measurements[2].best = 250.0;
        case
    }

    #[test]
    fn bars_are_in_proportion() {
        let chart = chart(&[case()], &|group| group == Group::EncodeNew);
        assert!(chart.contains("width=\"86.4\""), "100 of 250 of 216: {chart}");
        assert!(chart.contains("width=\"216.0\""), "the slowest takes all: {chart}");
        assert!(chart.contains("2.50 times as fast as peer"), "{chart}");
    }

    #[test]
    fn names_are_escaped() {
        let chart = chart(&[case()], &|_| true);
        assert!(chart.contains("a&lt;b") && !chart.contains("a<b"), "{chart}");
    }
}
