//! Which column of a terminal an instant is drawn in.

use crate::cli::timeline::cells::{Cell, Scale, cells};
use crate::cli::timeline::model::Timeline;
use crate::cli::timeline::spans::Span;
use crate::domain::time::Timestamp;

/// The columns of a chart. If now is among its times, it has a column of its own, between what was and what will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
    columns: usize,
    /// The column of now.
    pub(super) now_column: Option<usize>,
}

impl Layout {
    /// So many columns for this timeline; at least three.
    pub(super) fn of(timeline: &Timeline, columns: usize) -> Layout {
        let &Timeline { from, to, now, .. } = timeline;
        let now_column = (from < now && now < to).then(|| {
            let columns = columns - 1;
            let past = Scale { from, to, count: columns }.cell_of(now);
            // Neither side is without room, so that what has just happened and what is next is seen.
            past.clamp(1, columns - 1)
        });
        Layout { from, to, now, columns, now_column }
    }

    /// The column of an instant of the span.
    pub(super) fn column(&self, at: Timestamp) -> usize {
        let Layout { from, to, now, columns, now_column } = *self;
        match now_column {
            None => Scale { from, to, count: columns }.cell_of(at),
            Some(past) if at < now => Scale { from, to: now, count: past }.cell_of(at),
            Some(past) => past + 1 + Scale { from: now, to, count: columns - past - 1 }.cell_of(at),
        }
    }

    /// What is in each column; in that of now nothing.
    pub(super) fn cells(&self, spans: &[Span]) -> Vec<Cell> {
        let Layout { from, to, now, columns, now_column } = *self;
        let Some(past) = now_column else { return cells(spans, from, to, columns) };
        // What is to come is drawn after now, and what has been before it, also where it is due or ends at this instant.
        let (ahead, behind): (Vec<Span>, Vec<Span>) =
            spans.iter().cloned().partition(|span| span.from >= now || span.kind.is_to_come());
        let mut all = cells(&behind, from, now, past);
        all.push(Cell::default());
        all.extend(cells(&ahead, now, to, columns - past - 1));
        all
    }
}
