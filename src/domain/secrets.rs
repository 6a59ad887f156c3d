//! What nobody is told: values that a program was given and may repeat.

/// A value that is shorter than this is no secret, and may be part of any word. In bytes.
const LEAST: usize = 6;

/// The same where more stands that is no secret.
const LEAST_BESIDE: usize = 8;

/// How much of a value, in bytes, says something about it where a text was cut within one.
const PART: usize = 4;

/// What stands in the place of a secret.
const HIDDEN: &str = "\u{2026}";

/// Values that may be secret. Where two begin alike the longer one is hidden, so that no end of it is left.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The longest first.
    values: Vec<String>,
}

impl Secrets {
    /// What was given to a program alone, and what it was given beside that: its arguments, and values of an environment that
    /// is not its own.
    ///
    /// Of its own values each is secret but short ones and absolute paths. Of the others `name=value` counts by its value;
    /// an option, a path, the name of a package (`@scope/name`) and a word of letters and hyphens are no secrets.
    #[must_use]
    pub fn of<'a>(
        own: impl IntoIterator<Item = &'a str>,
        beside: impl IntoIterator<Item = &'a str>,
    ) -> Secrets {
        let own = own.into_iter().filter(|value| value.len() >= LEAST && !value.starts_with('/'));
        let all: Vec<&str> = own.chain(beside.into_iter().filter_map(secret_in)).collect();
        // Of a value of several lines each may be told alone.
        let lines = all.iter().filter(|value| value.contains('\n')).flat_map(|value| value.lines());
        let lines = lines.filter(|line| line.len() >= LEAST_BESIDE);
        let mut values: Vec<String> = all.iter().copied().chain(lines).map(str::to_owned).collect();
        values.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        values.dedup();
        Secrets { values }
    }

    /// The text without them.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            if text.contains(value.as_str()) {
                text = text.replace(value.as_str(), HIDDEN);
            }
        }
        text
    }

    /// The same of a part of a text, which may begin or end within one.
    #[must_use]
    pub fn hide_in_part(&self, text: &str) -> String {
        let mut text = self.hide(text);
        for value in &self.values {
            if let Some(rest) = ends(value).find_map(|end| text.strip_prefix(end)) {
                text = format!("{HIDDEN}{rest}");
            }
            let cut = text.strip_suffix(HIDDEN).unwrap_or(&text);
            if let Some(rest) = beginnings(value).find_map(|beginning| cut.strip_suffix(beginning)) {
                text = format!("{rest}{HIDDEN}");
            }
        }
        text
    }
}

/// What may be secret of something that is not known to be.
fn secret_in(word: &str) -> Option<&str> {
    let value = match word.split_once('=') {
        Some((name, value)) if is_name(name.trim_start_matches('-')) => value,
        Some(_) | None if word.starts_with('-') => return None,
        Some(_) | None => word,
    };
    let is_no_secret = value.len() < LEAST_BESIDE
        || value.starts_with(['/', '.', '~', '@'])
        || value.chars().all(|letter| letter.is_alphabetic() || letter == '-');
    (!is_no_secret).then_some(value)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))
}

/// The ends of a value that are not all of it, the longest first.
fn ends(value: &str) -> impl Iterator<Item = &str> {
    let places = value.char_indices().skip(1).map(|(place, _)| place);
    places.map(|place| &value[place..]).take_while(|end| end.len() >= PART)
}

/// The beginnings of a value that are not all of it, the longest first.
fn beginnings(value: &str) -> impl Iterator<Item = &str> {
    let places = value.char_indices().rev().map(|(place, _)| place);
    places.map(|place| &value[..place]).take_while(|beginning| beginning.len() >= PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hide(values: &[&str], text: &str) -> String {
        Secrets::of(values.iter().copied(), []).hide(text)
    }

    fn hide_in_part(values: &[&str], text: &str) -> String {
        Secrets::of(values.iter().copied(), []).hide_in_part(text)
    }

    #[test]
    fn a_value_that_begins_as_another_leaves_nothing_of_it() {
        assert_eq!(
            hide(&["abcdef", "abcdef-the-rest"], "A=abcdef B=abcdef-the-rest"),
            "A=\u{2026} B=\u{2026}"
        );
    }

    #[test]
    fn what_a_cut_has_left_of_a_value_is_hidden() {
        let values = ["hunter2-correct-horse"];
        assert_eq!(hide_in_part(&values, "rect-horse is wrong"), "\u{2026} is wrong");
        assert_eq!(hide_in_part(&values, "the key hunter2-cor"), "the key \u{2026}");
        assert_eq!(hide_in_part(&values, "the key hunter2-cor\u{2026}"), "the key \u{2026}");
        assert_eq!(hide_in_part(&values, "a horse, and a hunter"), "a horse, and a \u{2026}");
        assert_eq!(hide(&values, "a hunter"), "a hunter");
        assert_eq!(hide_in_part(&values, "no hunt here"), "no hunt here");
    }

    #[test]
    fn what_is_no_secret_is_told() {
        for (value, text) in [("s3cr", "s3cr"), ("/home/somebody", "/home/somebody")] {
            assert_eq!(hide(&[value], text), text);
        }
        assert_eq!(hide(&["first line\nsecond line"], "it was second line"), "it was \u{2026}");
    }

    #[test]
    fn of_arguments_values_are_secrets_and_names_are_not() {
        for (argument, secret) in [
            ("--key=argument-123456", Some("argument-123456")),
            ("TOKEN=argument-123456", Some("argument-123456")),
            ("argument-123456", Some("argument-123456")),
            ("echo argument", Some("echo argument")),
            ("--experimental-acp-2", None),
            ("/usr/lib/agent-1.2/main.js", None),
            ("./agent-1.2", None),
            ("@scope/agent-acp@0.4", None),
            ("experimental-acp", None),
            ("--mode=acp", None),
            ("acp-2", None),
        ] {
            assert_eq!(secret_in(argument), secret, "{argument}");
        }
    }
}
