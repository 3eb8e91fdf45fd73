//! A batch of telemetry, whose schema is not Riak's.

use crate::generated::riak::telemetry::{Batch, Event, State, Total, event::What};

/// Returns a batch with ten labels, ten totals, 200 readings and 30 events.
pub(crate) fn batch() -> Batch {
    let event = |number: u32| {
        let what = match number % 5 {
            0 => What::Message(format!("sensor {number} went out of its range: 23.5 °C")),
            1 => What::Entered(State::SLEEPING),
            2 => What::Counted(Total {
                count: number.into(),
                sum: f64::from(number) * 0.5,
                ..Total::default()
            }),
            3 => What::Picture(vec![0xd8; 64].into()),
            _ => What::Restarts(-3),
        };
        Event { at: 1_762_000_000_000 + u64::from(number), what: Some(what), ..Event::default() }
    };
    let total = |kind: u32| {
        (kind, Total { count: u64::from(kind) * 1000, sum: f64::from(kind) * 3.25, ..Total::default() })
    };
    Batch {
        device: "greenhouse-17/north".into(),
        sequence: 981_223,
        labels: (0..10).map(|number| (format!("label-{number}"), format!("value of {number}"))).collect(),
        totals: (1..11).map(total).collect(),
        ticks: (0..200).map(|number| 1_762_000_000_000 + number * 250).collect(),
        readings: (0..200).map(|number| 20.0 + f64::from(number) * 0.125).collect(),
        deltas: (0..200).map(|number| (number % 7 - 3) * 40).collect(),
        events: (0..30).map(event).collect(),
        state: State::ON,
        battery: Some(0.75),
        ..Batch::default()
    }
}
