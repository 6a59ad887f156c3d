//! Texts of others, made fit for a page.

/// The text as the content of an element or of an attribute in double quotes.
///
/// Line ends are kept, written so that attributes keep them too; other control characters are none of any text.
pub(super) fn escaped(text: &str) -> String {
    let mut page = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            '\n' => page.push_str("&#10;"),
            letter if letter.is_control() => page.push('\u{fffd}'),
            letter => page.push(letter),
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(
            escaped("<script>alert(\"1\")</script> & 'x'\n\u{0}\u{1b}é"),
            "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;&#10;\u{fffd}\u{fffd}é"
        );
    }
}
