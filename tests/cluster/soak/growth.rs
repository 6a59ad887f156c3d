//! Whether what is taken grows, and the table of it.

use std::time::Duration;

use super::samples::{Measure, Samples, Series};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    /// Whether anything is more than it may ever be.
    Bounds,
    /// Also whether anything grows.
    Growth,
}

/// What is allowed.
struct Rule {
    name: &'static str,
    /// It is never more than this.
    most: f64,
    /// Its median in the second half is at most this much more than that in the first.
    slack: f64,
}

/// After so much of the time everything has been used once, and as many runs are there as are kept: what comes before is not
/// compared.
const WARM_UP: f64 = 0.25;

/// What is allowed beside the slack, as a share: windows do not all do the same in both halves.
const SHARE: f64 = 0.05;

impl Measure {
    fn rule(self) -> Rule {
        let rule = |name, most, slack| Rule { name, most, slack };
        match self {
            // A dozen of its own, and some for each of the eight runs that there may be at once.
            Measure::Descriptors => rule("descriptors", 100.0, 2.0),
            // A dozen of its own, one for each other window, and those that wait for a file or a process.
            Measure::Threads => rule("threads", 96.0, 4.0),
            // What a simulation takes is kept after the first one, and the next finds it again. What is left are some hundred
            // kilobytes, more slowly all the time: pages and statements that SQLite keeps, and the heap of the loop.
            Measure::Resident => rule("resident, KB", 131_072.0, 1024.0),
            Measure::Proportional => rule("proportional, KB", 65_536.0, 1024.0),
            // SQLite begins it anew after four megabytes when nobody reads in it; that somebody does happens.
            Measure::Log => rule("log, KB", 16_384.0, 4096.0),
            Measure::LogInLongLook => rule("log in a long look, KB", 32_768.0, 4096.0),
            Measure::LedgerBesideEvents => rule("ledger beside events, KB", 8192.0, 128.0),
            Measure::BytesPerEvent => rule("bytes per event", 8192.0, 128.0),
            Measure::OtherFiles => rule("other files, KB", 8192.0, 256.0),
            Measure::OtherFilesCount => rule("other files", 1000.0, 16.0),
        }
    }
}

/// What has come of it.
pub(super) struct Judged {
    rows: Vec<String>,
    pub(super) faults: Vec<String>,
}

impl std::fmt::Display for Judged {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            to,
            "{:26} {:>10} {:>10} {:>10} {:>14} {:>14}",
            "", "least", "median", "most", "slope per min", "second half"
        )?;
        self.rows.iter().try_for_each(|row| writeln!(to, "{row}"))
    }
}

pub(super) fn judged(samples: &Samples, judge: Judge) -> Judged {
    let mut judged = Judged { rows: Vec::new(), faults: Vec::new() };
    for measure in Measure::ALL {
        let of: Vec<&Series> = samples.series.iter().filter(|one| one.measure == measure).collect();
        let rule = measure.rule();
        let all: Vec<f64> = of.iter().flat_map(|one| one.values.iter().map(|(_, value)| *value)).collect();
        if all.is_empty() {
            continue;
        }
        let most = all.iter().copied().fold(f64::MIN, f64::max);
        let least = all.iter().copied().fold(f64::MAX, f64::min);
        // Of the window in which it is the steepest.
        let slope = of.iter().map(|one| slope(settled(one))).fold(f64::MIN, f64::max);
        judged.rows.push(format!(
            "{:26} {least:10.0} {:10.0} {most:10.0} {slope:12.2}",
            rule.name,
            median(all)
        ));
        if most > rule.most {
            judged.faults.push(format!("{}: {most}, and at most {} are allowed", rule.name, rule.most));
        }
        if judge == Judge::Growth {
            judged.faults.extend(of.iter().filter_map(|one| growth(&rule, settled(one))));
        }
    }
    judged
}

/// What was seen after the warm-up.
fn settled(series: &Series) -> &[(Duration, f64)] {
    let last = series.values.last().map_or(Duration::ZERO, |(at, _)| *at);
    let from = series.values.partition_point(|(at, _)| *at < last.mul_f64(WARM_UP));
    &series.values[from..]
}

/// The medians of the first half and the second.
fn halves(values: &[(Duration, f64)]) -> Option<(f64, f64)> {
    let (first, second) = values.split_at(values.len() / 2);
    let of = |values: &[(Duration, f64)]| median(values.iter().map(|(_, value)| *value).collect());
    (!first.is_empty()).then(|| (of(first), of(second)))
}

fn growth(rule: &Rule, values: &[(Duration, f64)]) -> Option<String> {
    let (first, second) = halves(values)?;
    let allowed = first * (1.0 + SHARE) + rule.slack;
    (second > allowed).then(|| {
        format!(
            "{} grows: {first} in the first half and {second} in the second, {allowed:.0} are allowed",
            rule.name
        )
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How much more it becomes in a minute, by least squares.
fn slope(values: &[(Duration, f64)]) -> f64 {
    let count = f64::from(u32::try_from(values.len()).expect("few"));
    let minutes = |at: &Duration| at.as_secs_f64() / 60.0;
    let mean_at = values.iter().map(|(at, _)| minutes(at)).sum::<f64>() / count;
    let mean = values.iter().map(|(_, value)| value).sum::<f64>() / count;
    let together = values.iter().map(|(at, value)| (minutes(at) - mean_at) * (value - mean)).sum::<f64>();
    let spread = values.iter().map(|(at, _)| (minutes(at) - mean_at).powi(2)).sum::<f64>();
    if spread == 0.0 { 0.0 } else { together / spread }
}

#[test]
fn what_grows_is_told_and_what_only_varies_is_not() {
    let rule = || Rule { name: "things", most: 100.0, slack: 2.0 };
    let series = |value: fn(u32) -> f64| Series {
        measure: Measure::Threads,
        values: (0..400).map(|at| (Duration::from_secs(at.into()), value(at))).collect(),
    };
    let grows = |value| growth(&rule(), settled(&series(value)));
    assert_eq!(grows(|at| f64::from(20 + at % 7)), None);
    // It takes its time until all is there.
    assert_eq!(grows(|at| f64::from(at.min(80))), None);
    assert!(grows(|at| 20.0 + f64::from(at) / 40.0).is_some());
    assert!(grows(|at| if at < 300 { 20.0 } else { 40.0 }).is_some());
    let steep = slope(settled(&series(|at| f64::from(at) / 2.0)));
    assert!((steep - 30.0).abs() < 0.01, "{steep}");
}
