//! Texts of others, made fit for one line that people read.

/// The text in one line of at most `most` characters.
///
/// Each stretch of blanks, line ends and control characters becomes one blank, so that a text can neither end the line
/// nor steer a terminal. What turns the direction of writing is left out, because it would turn what follows as well.
/// What is cut off is told by an ellipsis.
#[must_use]
pub fn one_line(text: &str, most: usize) -> String {
    let is_blank = |letter: char| letter.is_whitespace() || letter.is_control();
    let mut line = String::new();
    let mut letters = 0;
    for word in text.split(is_blank) {
        for (place, letter) in word.chars().filter(|letter| !turns_direction(*letter)).enumerate() {
            let blank = usize::from(place == 0 && letters > 0);
            if letters + blank >= most {
                line.truncate(
                    line.char_indices().nth(most.saturating_sub(1)).map_or(line.len(), |(end, _)| end),
                );
                line.push('…');
                return line;
            }
            if blank == 1 {
                line.push(' ');
            }
            line.push(letter);
            letters += blank + 1;
        }
    }
    line
}

/// The text in lines of its own that steer nothing: each control character in them becomes a blank, and what turns the
/// direction of writing is left out.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    let is_end =
        |letter: char| matches!(letter, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let plain = |line: &str| -> String {
        let letters = line.chars().filter(|letter| !turns_direction(*letter));
        letters.map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
    };
    let text = text.replace("\r\n", "\n");
    text.split(is_end).map(plain).collect::<Vec<String>>().join("\n")
}

/// A JSON text that means the same and steers nothing: what could stand in its strings as it is and would steer a terminal, or
/// turn the direction of writing, is written as an escape.
#[must_use]
pub fn plain_json(json: &str) -> String {
    let steers = |letter: char| letter != '\n' && letter.is_control() || turns_direction(letter);
    if !json.contains(steers) {
        return json.to_owned();
    }
    let mut plain = String::with_capacity(json.len());
    for letter in json.chars() {
        match steers(letter) {
            // All of these are in the first plane, so that one escape says each.
            true => plain.push_str(&format!("\\u{:04x}", u32::from(letter))),
            false => plain.push(letter),
        }
    }
    plain
}

/// The marks of Unicode's bidirectional algorithm that hold until they are taken back.
fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line_that_steers_nothing() {
        for (text, line) in [
            ("Nightly tests", "Nightly tests"),
            ("  two\r\n\t words \n", "two words"),
            ("\u{1b}[31mred\u{7}\u{9b}2J", "[31mred 2J"),
            ("left\u{202e}thgir\u{2069} \u{200f} on", "leftthgir on"),
            ("one\u{2028}two\u{85}three", "one two three"),
            ("", ""),
            (" \u{1b} ", ""),
        ] {
            assert_eq!(one_line(text, 100), line, "{text:?}");
        }
    }

    #[test]
    fn lines_stay_lines_and_steer_nothing() {
        for (text, lines) in [
            ("", ""),
            ("one\r\n  two\n\nthree\n", "one\n  two\n\nthree\n"),
            ("10%\r20%\u{2028}30%\u{85}40%", "10%\n20%\n30%\n40%"),
            ("\u{1b}[2Jgone\u{7}\ttab\u{9b}", " [2Jgone  tab "),
            ("left\u{202e}thgir\u{2069}", "leftthgir"),
        ] {
            assert_eq!(plain_lines(text), lines, "{text:?}");
        }
    }

    #[test]
    fn json_means_the_same_and_steers_nothing() {
        let text = "\u{9b}2J\u{7f} \u{202e}gpj.exe \u{1b}[0m ä \u{1f600}\n";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let plain = plain_json(&json);
        assert!(plain.contains(r"\u009b2J\u007f \u202egpj.exe \u001b[0m ä 😀\n"), "{plain}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&plain).unwrap(), [text]);
        assert_eq!(plain.lines().count(), json.lines().count());
        assert_eq!(plain_json("{\n  \"a\": 1\n}"), "{\n  \"a\": 1\n}");
    }

    #[test]
    fn what_is_cut_off_is_told() {
        assert_eq!(one_line("äöü", 3), "äöü");
        assert_eq!(one_line("äöüß", 3), "äö…");
        assert_eq!(one_line("äö üß", 3), "äö…");
        assert_eq!(one_line("a b  ", 3), "a b");
        assert_eq!(one_line("a b c", 4), "a b…");
        for most in 1..40 {
            let line = one_line("some words that are longer than that", most);
            assert!(line.chars().count() <= most, "{line}");
        }
    }
}
