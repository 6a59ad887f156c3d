//! The letters that a timeline is drawn with on a terminal. Each kind has one of its own, so that nothing depends on
//! colours.

use crate::cli::show::Tone;
use crate::cli::timeline::cells::Cell;
use crate::cli::timeline::kind::Kind;

/// Which letters a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli::timeline) enum Glyphs {
    /// All of them.
    Unicode,
    /// Those of ASCII.
    Ascii,
}

/// What was done takes up more or less of its cell.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl Glyphs {
    /// What a cell is drawn with, if there is anything in it.
    pub(super) fn of_cell(self, cell: Cell) -> Option<(char, Tone)> {
        let kind = cell.kind?;
        let letter = match (self, kind) {
            (Glyphs::Unicode, Kind::Succeeded) => {
                HEIGHTS[usize::from(cell.covered) * (HEIGHTS.len() - 1) / 1000]
            }
            (Glyphs::Unicode | Glyphs::Ascii, kind) => self.of_kind(kind),
        };
        Some((letter, tone(kind)))
    }

    /// What a legend shows of a kind.
    pub(super) const fn of_kind(self, kind: Kind) -> char {
        let (unicode, ascii) = match kind {
            Kind::Waited => ('─', '-'),
            Kind::LeftOut => ('∙', '.'),
            Kind::WillRun => ('░', '+'),
            Kind::WillRunLate => ('▒', '~'),
            Kind::WillNotRun => ('×', 'x'),
            Kind::Succeeded => ('▆', '#'),
            Kind::Unknown => ('*', '*'),
            Kind::Overlapped => ('≈', '%'),
            Kind::Busy => ('≠', '&'),
            Kind::Running => ('▶', '>'),
            Kind::Stopped => ('■', 'S'),
            Kind::Missed => ('○', 'o'),
            Kind::Failed => ('✗', 'X'),
            Kind::Asking => ('?', '?'),
        };
        match self {
            Glyphs::Unicode => unicode,
            Glyphs::Ascii => ascii,
        }
    }

    /// The line of now, in a row and at the axis.
    pub(super) const fn now(self) -> [char; 2] {
        match self {
            Glyphs::Unicode => ['│', '┼'],
            Glyphs::Ascii => ['|', '+'],
        }
    }

    /// The axis, a mark on it, and the same mark in a row.
    pub(super) const fn axis(self) -> [char; 3] {
        match self {
            Glyphs::Unicode => ['─', '┬', '┊'],
            Glyphs::Ascii => ['-', '+', ':'],
        }
    }

    /// The machine slept.
    pub(super) const ASLEEP: char = 'z';
}

/// The tone of a kind, which only stresses what its letter tells.
pub(super) const fn tone(kind: Kind) -> Tone {
    match kind {
        Kind::Succeeded | Kind::WillRun => Tone::Good,
        Kind::Running => Tone::Accent,
        Kind::Failed => Tone::Bad,
        Kind::Asking | Kind::Missed | Kind::WillRunLate => Tone::Warn,
        Kind::Overlapped | Kind::Busy | Kind::Stopped | Kind::Unknown => Tone::Usual,
        Kind::Waited | Kind::LeftOut | Kind::WillNotRun => Tone::Faint,
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthChar;

    use super::*;

    #[test]
    fn every_kind_has_a_letter_of_its_own_that_is_one_column_wide() {
        for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
            let mut letters = Kind::ALL.map(|kind| glyphs.of_kind(kind));
            assert!(letters.iter().all(|letter| letter.width() == Some(1)), "{letters:?}");
            assert!(glyphs == Glyphs::Unicode || letters.iter().all(char::is_ascii));
            letters.sort_unstable();
            assert!(letters.windows(2).all(|two| two[0] != two[1]), "{letters:?}");
            assert!(!letters.contains(&Glyphs::ASLEEP));
        }
    }

    #[test]
    fn what_took_up_more_of_a_cell_stands_higher() {
        let drawn = |covered| {
            Glyphs::Unicode.of_cell(Cell { kind: Some(Kind::Succeeded), covered }).map(|(letter, _)| letter)
        };
        assert_eq!([0, 1, 500, 999, 1000].map(drawn), ['▁', '▁', '▄', '▇', '█'].map(Some));
    }
}
