//! The fenced blocks of a document, each with the comment directly above it.

use crate::documents::Document;
use crate::example::is_typed;

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) document: String,
    /// Where its fence opens.
    pub(crate) line: usize,
    /// What stands behind the fence.
    pub(crate) language: String,
    /// The comment directly above it, where blank lines may lie between.
    pub(crate) comment: Option<String>,
    /// Its lines, without the indentation of the fence.
    pub(crate) content: String,
}

impl Block {
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.document, self.line)
    }
}

/// A fence that is open.
struct Fence {
    indentation: usize,
    mark: char,
    length: usize,
}

impl Fence {
    fn opens(line: &str) -> Option<(Fence, &str)> {
        let inside = line.trim_start();
        let mark = inside.chars().next().filter(|letter| ['`', '~'].contains(letter))?;
        let rest = inside.trim_start_matches(mark);
        let length = inside.len() - rest.len();
        let is_span = mark == '`' && rest.contains('`');
        let fence = Fence { indentation: line.len() - inside.len(), mark, length };
        (length >= 3 && !is_span).then(|| (fence, rest.trim()))
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|letter| letter == self.mark)
    }

    fn inside<'a>(&self, line: &'a str) -> &'a str {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        &line[self.indentation.min(spaces)..]
    }
}

/// All of them, in order. One that is never closed reaches to the end, as it does on a page.
pub(crate) fn blocks(document: &Document) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(Fence, Block)> = None;
    let mut comment = None;
    for (number, line) in document.text.lines().enumerate() {
        if let Some((fence, block)) = &mut open {
            if fence.is_closed_by(line) {
                found.extend(open.take().map(|(_, block)| block));
            } else {
                block.content.push_str(fence.inside(line));
                block.content.push('\n');
            }
        } else if let Some((fence, language)) = Fence::opens(line) {
            let block = Block {
                document: document.name.clone(),
                line: number + 1,
                language: language.to_owned(),
                comment: comment.take(),
                content: String::new(),
            };
            open = Some((fence, block));
        } else if !line.trim().is_empty() {
            let inside = line.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
            comment = inside.map(|text| text.trim().to_owned());
        }
    }
    found.extend(open.map(|(_, block)| block));
    found
}

/// Commands where no fence is, which nobody would run: quoted, indented, or in HTML.
pub(crate) fn hidden(document: &Document) -> Result<(), String> {
    let mut in_list = false;
    let mut after_text = false;
    for (number, line) in prose(&document.text).into_iter().enumerate() {
        let inside = line.trim_start_matches(|letter: char| letter == '>' || letter.is_whitespace());
        let is_quoted = line.trim_start().starts_with('>');
        let indentation = line.len() - line.trim_start().len();
        let is_code = line.starts_with('\t') || indentation >= 4;
        // What is indented in a list, or goes on with a paragraph, is text.
        let is_command = is_typed(inside) || inside.contains("sexton ") && !in_list && !after_text;
        let fault = if is_quoted && Fence::opens(inside).is_some() {
            Some("a block in a quotation")
        } else if line.contains("<pre") {
            Some("a block in HTML")
        } else if is_code && is_command || is_quoted && is_typed(inside) {
            Some("a command without a fence")
        } else {
            None
        };
        if let Some(what) = fault {
            return Err(format!("line {}: {what} is run by nobody; write it in a fence", number + 1));
        }
        if indentation == 0 && !line.is_empty() {
            in_list = is_item(line);
        }
        after_text = !line.trim().is_empty() && !is_code;
    }
    Ok(())
}

fn is_item(line: &str) -> bool {
    let marked = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark))
        || marked.len() < line.len() && [". ", ") "].iter().any(|mark| marked.starts_with(mark))
}

/// The text of a document without its fenced blocks, line by line, so that the numbers of lines are kept.
pub(crate) fn prose(text: &str) -> Vec<&str> {
    let mut open: Option<Fence> = None;
    let mut without = |line| match &open {
        Some(fence) if fence.is_closed_by(line) => {
            open = None;
            ""
        }
        Some(_) => "",
        None => match Fence::opens(line) {
            Some((fence, _)) => {
                open = Some(fence);
                ""
            }
            None => line,
        },
    };
    text.lines().map(&mut without).collect()
}
