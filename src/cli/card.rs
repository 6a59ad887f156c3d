//! One thing in full: what is known of it, each below the other, behind its name.

use unicode_width::UnicodeWidthStr;

use super::show::{Page, Tone};
use super::table::wrapped;

/// What stands between a name and what it names.
const GAP: usize = 2;

/// The narrowest text that still is broken into lines: on a terminal that has no more beside the names, the terminal
/// breaks them.
const LEAST: usize = 20;

/// What is known of one thing.
#[derive(Debug, Default)]
pub(super) struct Card {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    text: String,
    tone: Tone,
}

impl Card {
    /// One more thing that is known. A text may have several lines; a name that is empty goes on with what is above it.
    pub(super) fn add(&mut self, name: &'static str, text: impl Into<String>) {
        self.add_toned(name, Tone::Usual, text);
    }

    /// The same in this tone.
    pub(super) fn add_toned(&mut self, name: &'static str, tone: Tone, text: impl Into<String>) {
        self.entries.push(Entry { name, text: text.into(), tone });
    }

    /// It in lines that are not wider than the page.
    pub(super) fn written(&self, page: Page) -> String {
        let names = self.entries.iter().map(|entry| entry.name.width()).max().unwrap_or_default();
        let room = page.width.map(|width| width.saturating_sub(names + GAP)).filter(|room| *room >= LEAST);
        let mut text = String::new();
        for Entry { name, text: value, tone } in &self.entries {
            for (place, line) in wrapped(value, room).iter().enumerate() {
                let name = if place == 0 { name } else { "" };
                let padding = " ".repeat(names - name.width() + GAP);
                let line = format!("{}{padding}{}", page.style.faint(name), page.style.toned(*tone, line));
                text.push_str(&format!("{}\n", line.trim_end()));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::show::Style;

    #[test]
    fn what_is_known_stands_behind_its_name_and_is_broken_where_there_is_no_room() {
        let mut card = Card::default();
        card.add("When", "Weekdays at 09:00, Europe/Berlin");
        card.add("Last run", "one\ntwo");
        card.add("", "three");
        insta::assert_snapshot!(card.written(Page { style: Style::Plain, width: None }), @r"
        When      Weekdays at 09:00, Europe/Berlin
        Last run  one
                  two
                  three
        ");
        insta::assert_snapshot!(card.written(Page { style: Style::Plain, width: Some(32) }), @r"
        When      Weekdays at 09:00,
                  Europe/Berlin
        Last run  one
                  two
                  three
        ");
    }
}
