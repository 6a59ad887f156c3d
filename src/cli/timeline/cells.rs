//! Stretches that fall together where a timeline is drawn, put together.

use super::kind::Kind;
use super::spans::Span;
use crate::domain::time::Timestamp;

/// A part of a row that is one character wide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// The greatest of the kinds that fall in here.
    pub(super) kind: Option<Kind>,
    /// How much of it something of this kind takes up, in thousandths.
    pub(super) covered: u16,
}

/// So many equal parts of the time from `from` to `to`. What ends at a border is in the part before it, but for what has no
/// length.
pub(super) fn cells(spans: &[Span], from: Timestamp, to: Timestamp, count: usize) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); count];
    let scale = Scale { from, to, count };
    for span in spans {
        if span.to < from || span.from > to || count == 0 {
            continue;
        }
        let first = scale.cell_of(span.from);
        let last = scale.cell_of(span.to.plus_ms(-1)).max(first);
        for (place, cell) in cells.iter_mut().enumerate().take(last + 1).skip(first) {
            let (begin, end) = (scale.border(place), scale.border(place + 1));
            let part = span.to.min(end).since_ms(span.from.max(begin)).max(0);
            let covered = part.saturating_mul(1000) / end.since_ms(begin).max(1);
            let covered = u16::try_from(covered.clamp(0, 1000)).unwrap_or(1000);
            if cell.kind < Some(span.kind) {
                *cell = Cell { kind: Some(span.kind), covered };
            } else if cell.kind == Some(span.kind) {
                cell.covered = (cell.covered + covered).min(1000);
            }
        }
    }
    cells
}

/// A span of time, and the parts that it is drawn with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) count: usize,
}

impl Scale {
    /// The part that an instant lies in; the first or the last one if it lies outside.
    pub(super) fn cell_of(self, at: Timestamp) -> usize {
        let length = i128::from(self.to.since_ms(self.from).max(1));
        let place = i128::from(at.since_ms(self.from)) * self.count as i128 / length;
        usize::try_from(place).unwrap_or(0).min(self.count.saturating_sub(1))
    }

    /// Where a part begins.
    fn border(self, place: usize) -> Timestamp {
        let length = i128::from(self.to.since_ms(self.from).max(1));
        let beyond = length * place as i128 / self.count.max(1) as i128;
        self.from.plus_ms(i64::try_from(beyond).unwrap_or(i64::MAX))
    }
}

/// Stretches of one kind that cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bar<'a> {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// The first one.
    pub(super) first: &'a Span,
    /// How many runs or scheduled times it stands for.
    pub(super) count: u64,
    /// How many missed times its runs answer for too.
    pub(super) also: u64,
    pub(super) why: Why<'a>,
}

/// Why, of stretches that were put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why<'a> {
    /// Nothing is known of it.
    Unsaid,
    /// The same of all.
    One(&'a str),
    /// Not the same of all.
    Several,
}

impl<'a> Why<'a> {
    fn of(span: &'a Span) -> Why<'a> {
        span.why.as_deref().map_or(Why::Unsaid, Why::One)
    }
}

/// The stretches of a row, those of one kind put together that are less than `apart_ms` from each other.
pub(super) fn bars(spans: &[Span], apart_ms: i64) -> Vec<Bar<'_>> {
    let mut bars: Vec<Bar<'_>> = Vec::new();
    // The last bar of each kind: kinds lie above each other, so that they do not part each other.
    let mut last: [Option<usize>; Kind::ALL.len()] = [None; Kind::ALL.len()];
    for span in spans {
        let lane = &mut last[span.kind as usize];
        if let Some(bar) = lane.map(|place| &mut bars[place])
            && span.from.since_ms(bar.to) < apart_ms
        {
            bar.to = bar.to.max(span.to);
            bar.count += span.count;
            bar.also += span.also;
            if bar.why != Why::of(span) {
                bar.why = Why::Several;
            }
            continue;
        }
        *lane = Some(bars.len());
        let (count, also, why) = (span.count, span.also, Why::of(span));
        bars.push(Bar { from: span.from, to: span.to, first: span, count, also, why });
    }
    bars
}
