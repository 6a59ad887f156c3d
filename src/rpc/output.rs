//! What a command has written as the contract writes it: text is cut at the borders of characters; what is no text
//! is written in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Whether anything follows the bytes that are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// More may follow, also the rest of a character.
    Follows,
    /// They are the last.
    Nothing,
}

/// A part of an output, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, or the bytes in base64.
    pub data: String,
    /// Which of the two.
    pub encoding: &'static str,
    /// How many bytes it stands for.
    pub length: usize,
}

impl Piece {
    /// As many of the bytes as are whole characters, as far as they are characters; none if there is only the
    /// beginning of one, whose rest has to be waited for.
    pub fn of(bytes: &[u8], rest: Rest) -> Option<Piece> {
        let length = match rest {
            Rest::Follows => whole_characters(bytes),
            Rest::Nothing => bytes.len(),
        };
        if length == 0 && !bytes.is_empty() {
            return None;
        }
        Some(match std::str::from_utf8(&bytes[..length]) {
            Ok(text) => Piece { data: text.to_owned(), encoding: "utf8", length },
            Err(_) => Piece::of_bytes(&bytes[..length]),
        })
    }

    /// All bytes, whatever they are.
    pub fn of_bytes(bytes: &[u8]) -> Piece {
        Piece { data: BASE64.encode(bytes), encoding: "base64", length: bytes.len() }
    }
}

/// How many bytes are left without a character at the end that is not complete. What is no character anyway is
/// whole.
fn whole_characters(bytes: &[u8]) -> usize {
    /// The longest beginning of a character that is not the whole of it.
    const BEGINNING: usize = 3;
    for start in (0..bytes.len()).rev().take(BEGINNING) {
        let goes_on = bytes[start] & 0b1100_0000 == 0b1000_0000;
        if !goes_on {
            let last = std::str::from_utf8(&bytes[start..]);
            return if last.is_err_and(|error| error.error_len().is_none()) { start } else { bytes.len() };
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(bytes: &[u8], rest: Rest) -> Option<(String, &'static str, usize)> {
        Piece::of(bytes, rest).map(|piece| (piece.data, piece.encoding, piece.length))
    }

    #[test]
    fn text_is_cut_at_a_character_and_other_bytes_are_base64() {
        use Rest::{Follows, Nothing};
        let case = |data: &str, encoding, length| Some((data.to_owned(), encoding, length));
        assert_eq!(cut(b"", Follows), case("", "utf8", 0));
        assert_eq!(cut(b"abc", Nothing), case("abc", "utf8", 3));
        assert_eq!(cut("a\u{e9}".as_bytes(), Follows), case("a\u{e9}", "utf8", 3));
        assert_eq!(cut(b"a\xC3", Follows), case("a", "utf8", 1));
        assert_eq!(cut(b"a\xC3", Nothing), case("YcM=", "base64", 2));
        assert_eq!(cut(b"\xC3", Follows), None, "its rest may come");
        assert_eq!(cut(b"\xFF\xFE\x00", Follows), case("//4A", "base64", 3));
        assert_eq!(
            cut(b"\xFF\xF0\x9F\x94", Follows),
            case("/w==", "base64", 1),
            "the next part begins whole"
        );
        assert_eq!(cut(b"\x80\x80\x80\x80", Follows), case("gICAgA==", "base64", 4));
        assert_eq!(cut(b"\xFF", Nothing), case("/w==", "base64", 1));
    }

    #[test]
    fn however_text_comes_it_is_never_cut_inside_a_character() {
        let text = "a\u{e9}\u{20ac}\u{1f514}z".repeat(3);
        for end in 0..=text.len() {
            let Some(piece) = Piece::of(&text.as_bytes()[..end], Rest::Follows) else { continue };
            assert_eq!((piece.encoding, piece.data.as_str()), ("utf8", &text[..piece.length]));
            assert!(end - piece.length < 4);
        }
    }
}
