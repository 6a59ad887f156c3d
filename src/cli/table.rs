//! Tables: aligned columns that know how wide a terminal is, and how wide what stands in them.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::show::{Style, Tone};

/// What stands between two columns.
const GAP: &str = "  ";

/// A table that is written as lines.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// What is true of all cells below each other.
pub(super) struct Column {
    heading: String,
    side: Side,
    room: Room,
}

/// Where the text of a column ends flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// What becomes of a column where the terminal has not enough room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// It stays whole.
    Whole,
    /// It is cut, to this width at least.
    Cut(usize),
    /// It is cut, to this width at least, and left out if that is not enough.
    Spared(usize),
}

/// What stands in one place of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Column {
    /// A column of words.
    pub(super) fn left(heading: impl Into<String>) -> Column {
        Column { heading: heading.into(), side: Side::Left, room: Room::Whole }
    }

    /// A column of numbers.
    pub(super) fn right(heading: impl Into<String>) -> Column {
        Column { heading: heading.into(), side: Side::Right, room: Room::Whole }
    }

    /// The same, and it may be cut to this width where there is not enough room.
    pub(super) fn cut_to(self, least: usize) -> Column {
        Column { room: Room::Cut(least), ..self }
    }

    /// The same, and where there is not enough room it may be cut to this width, and then be left out.
    pub(super) fn spared_below(self, least: usize) -> Column {
        Column { room: Room::Spared(least), ..self }
    }

    /// The narrowest it may be that would be this wide.
    fn least(&self, wide: usize) -> usize {
        match self.room {
            Room::Whole => wide,
            Room::Cut(least) | Room::Spared(least) => wide.min(least),
        }
    }

    fn can_be_spared(&self) -> bool {
        match self.room {
            Room::Whole | Room::Cut(_) => false,
            Room::Spared(_) => true,
        }
    }
}

impl Cell {
    /// The same in this tone.
    pub(super) fn toned(self, tone: Tone) -> Cell {
        Cell { tone, ..self }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), tone: Tone::Usual }
    }
}

impl Table {
    pub(super) fn of(columns: impl IntoIterator<Item = Column>) -> Table {
        Table { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// One more row, with a cell for each column from the left. Cells must be single lines.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, below the headings if there are any, cut to fit `width` if that is given.
    ///
    /// What may be left out is, from the right on, where cutting is not enough, or where nothing stands in it anyway. What
    /// may be cut gives way from the widest on. What still has no room is left to the terminal.
    pub(super) fn written(&self, style: Style, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let mut text = String::new();
        if self.columns.iter().any(|column| !column.heading.is_empty()) {
            let headings: Vec<Cell> =
                self.columns.iter().map(|column| Cell::from(column.heading.as_str())).collect();
            text.push_str(&format!("{}\n", style.faint(&self.line(&headings, &widths, Style::Plain))));
        }
        for row in &self.rows {
            text.push_str(&format!("{}\n", self.line(row, &widths, style)));
        }
        text
    }

    fn line(&self, row: &[Cell], widths: &[usize], style: Style) -> String {
        let mut line = String::new();
        // Blanks are owed until something stands behind them, so that no line ends with any.
        let mut owed = 0;
        let mut is_first = true;
        for ((cell, column), width) in row.iter().zip(&self.columns).zip(widths) {
            let text = cut(&cell.text, *width);
            let free = width.saturating_sub(text.width());
            let (before, after) = match column.side {
                Side::Left => (0, free),
                Side::Right => (free, 0),
            };
            if *width == 0 {
                continue;
            }
            owed += before + if is_first { 0 } else { GAP.len() };
            is_first = false;
            if !text.is_empty() {
                line.push_str(&" ".repeat(owed));
                line.push_str(&style.toned(cell.tone, &text));
                owed = 0;
            }
            owed += after;
        }
        line
    }

    /// How wide the columns are.
    fn widths(&self, most: Option<usize>) -> Vec<usize> {
        let wanted = |(place, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.text.width());
            cells.chain([column.heading.width()]).max().unwrap_or_default()
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(wanted).collect();
        let Some(most) = most else { return widths };
        let stands_empty = |place: usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(place));
            cells.all(|cell| cell.text.is_empty())
        };
        let spared = |(place, column): &(usize, &Column)| column.can_be_spared() && stands_empty(*place);
        for (place, _) in self.columns.iter().enumerate().filter(spared) {
            widths[place] = 0;
        }
        let excess = |widths: &[usize], narrow: &dyn Fn(&Column, usize) -> usize| {
            let each = widths.iter().zip(&self.columns).filter(|(width, _)| **width > 0);
            let room: usize = each.map(|(width, column)| narrow(column, *width) + GAP.len()).sum();
            room.saturating_sub(GAP.len()).saturating_sub(most)
        };
        for (place, _) in self.columns.iter().enumerate().rev().filter(|(_, column)| column.can_be_spared()) {
            if excess(&widths, &Column::least) > 0 {
                widths[place] = 0;
            }
        }
        for _ in 0..excess(&widths, &|_, wide| wide) {
            let yielding = |(place, width): &(usize, usize)| *width > self.columns[*place].least(*width);
            let candidates = widths.iter().copied().enumerate().filter(yielding);
            let Some((widest, _)) = candidates.max_by_key(|(_, width)| *width) else { break };
            widths[widest] -= 1;
        }
        widths
    }
}

/// As much of a line as fits, with an ellipsis where something is missing.
pub(super) fn cut(line: &str, most: usize) -> String {
    if line.width() <= most {
        return line.to_owned();
    }
    let Some(room) = most.checked_sub(1) else { return String::new() };
    let ends = line.char_indices().map(|(end, _)| end);
    let end = ends.take_while(|end| line[..*end].width() <= room).last().unwrap_or_default();
    // What would join the next letter to this one must not join the ellipsis.
    let kept = line[..end].trim_end_matches(['\u{200d}', ' ']);
    format!("{kept}…")
}

/// The text in lines that are at most this wide where its blanks allow it.
pub(super) fn wrapped(text: &str, most: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut filled = 0;
        for word in paragraph.split(' ') {
            let wide: usize = word.chars().filter_map(UnicodeWidthChar::width).sum();
            if !line.is_empty() && most.is_some_and(|most| filled + 1 + wide > most) {
                lines.push(std::mem::take(&mut line));
                filled = 0;
            } else if !line.is_empty() {
                line.push(' ');
                filled += 1;
            }
            line.push_str(word);
            filled += wide;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::of([Column::left("title").cut_to(4), Column::right("runs"), Column::left("")]);
        table.row(["Morning tests".into(), "3".into(), "daily".into()]);
        table.row(["日本語のテスト".into(), "12".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_also_below_wide_letters() {
        insta::assert_snapshot!(table().written(Style::Plain, None), @r"
        title           runs
        Morning tests      3  daily
        日本語のテスト    12
        ");
    }

    #[test]
    fn what_may_be_cut_gives_way_and_nothing_else() {
        insta::assert_snapshot!(table().written(Style::Plain, Some(22)), @r"
        title      runs
        Morning…      3  daily
        日本語の…    12
        ");
        let narrow = table().written(Style::Plain, Some(5));
        assert!(narrow.contains("Mor…     3  daily"), "no further than it says: {narrow}");
    }

    #[test]
    fn what_may_be_left_out_is_from_the_right_on_where_there_is_no_room() {
        let mut table = Table::of([
            Column::left("ID"),
            Column::left("TOOK").spared_below(4),
            Column::left("EXIT").spared_below(4),
            Column::left("WHY").spared_below(3),
        ]);
        table.row(["run_1".into(), "3 min".into(), "".into(), "because of it".into()]);
        let first = |width| table.written(Style::Plain, width).lines().next().unwrap().to_owned();
        assert_eq!(first(None), "ID     TOOK   EXIT  WHY");
        assert_eq!(first(Some(80)), "ID     TOOK   WHY", "nothing stands in it");
        insta::assert_snapshot!(table.written(Style::Plain, Some(17)), @r"
        ID     TOOK  WHY
        run_1  3 m…  bec…
        ");
        assert_eq!(first(Some(15)), "ID     TOOK");
        assert_eq!(first(Some(10)), "ID");
    }

    #[test]
    fn codes_of_colours_take_no_room() {
        let mut table = Table::of([Column::left("state"), Column::left("")]);
        table.row([Cell::from("ok").toned(Tone::Good), "now".into()]);
        assert_eq!(
            table.written(Style::Terminal, None),
            "\u{1b}[2mstate\u{1b}[0m\n\u{1b}[32mok\u{1b}[0m     now\n"
        );
    }

    #[test]
    fn no_line_is_wider_than_what_is_asked_for() {
        let texts =
            ["", "plain words", "日本語", "a\u{301}e\u{301}o\u{301}", "👩\u{200d}💻👩\u{200d}💻", "ＡＢ c"];
        for text in texts {
            for most in 0..12 {
                let line = cut(text, most);
                assert!(line.width() <= most, "{line:?} is wider than {most}");
                assert!(text.width() > most || line == text, "{text:?} has room in {most}");
            }
        }
        assert_eq!(cut("👩\u{200d}💻👩\u{200d}💻", 3), "👩\u{200d}💻…");
    }

    #[test]
    fn words_are_broken_into_lines_only_where_there_is_no_room() {
        assert_eq!(wrapped("one two three", Some(8)), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable word", Some(4)), ["unbreakable", "word"]);
        assert_eq!(wrapped("one two three", None), ["one two three"]);
        assert_eq!(wrapped("two\n\nlines", Some(80)), ["two", "", "lines"]);
    }
}
