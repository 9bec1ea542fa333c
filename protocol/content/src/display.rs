//! Text of strangers, made safe to show: the one way from a peer's words to a face (HOS-10).
//!
//! What could move the cursor, reorder, hide or pile up is replaced by a visible U+FFFD: dropping
//! it would turn `Mallory\rAlice: ok` into one name. What comes out is plain text; it is never
//! markup.

mod classes;

use classes::{is_fold, is_keycap_base, is_pictograph, is_replaced, is_tag};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Most combining marks on one base character.
const MAX_MARKS: usize = 4;
/// Most line breaks in a row: one empty line.
const MAX_BREAKS: usize = 2;
/// Most joiners in one emoji; the longest that people use have three.
const MAX_JOINERS: usize = 5;
/// Most tag characters in a flag; the ones that people use have five.
const MAX_FLAG_TAGS: usize = 6;

const VISIBLE: char = '\u{FFFD}';
const JOINER: char = '\u{200D}';
const BLACK_FLAG: char = '\u{1F3F4}';
const TAG_END: char = '\u{E007F}';

/// A string that a peer chose, by the place where it will stand.
#[derive(Clone, Copy)]
pub enum Untrusted<'a> {
    /// A message. `\n` breaks lines, `\t` is a space, emoji keep their invisible parts.
    Text(&'a str),
    /// A name, a file name, a link, a title: one line, composed (NFC), trimmed, spaces folded.
    Name(&'a str),
}

impl Untrusted<'_> {
    /// The string that faces receive. Showing it again changes nothing.
    #[must_use]
    pub fn display(&self) -> String {
        match self {
            Self::Text(text) => clean_text(text),
            Self::Name(name) => clean_name(name),
        }
    }
}

fn clean_text(text: &str) -> String {
    let mut out = Cleaner::default();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().next();
        match c {
            '\r' if next == Some('\n') => {}
            '\n' => out.line_break(),
            '\t' => out.push(' '),
            JOINER if out.joins(next) => out.push_joiner(),
            '\u{FE0E}' | '\u{FE0F}' if out.takes_selector() => out.push_hidden(c),
            BLACK_FLAG => {
                out.push(c);
                if let Some(tags) = flag_tags(rest.as_str()) {
                    tags.chars().for_each(|tag| out.push_hidden(tag));
                    rest = rest.as_str().strip_prefix(tags).unwrap_or_default().chars();
                }
            }
            _ => out.push(c),
        }
    }
    out.done
}

fn clean_name(name: &str) -> String {
    let composed: String = name.nfc().map(|c| if is_fold(c) { ' ' } else { c }).collect();
    let mut out = Cleaner::default();
    for (i, word) in composed.split(' ').filter(|word| !word.is_empty()).enumerate() {
        if i > 0 {
            out.push(' ');
        }
        word.chars().for_each(|c| out.push(c));
    }
    out.done
}

/// The tag characters of a flag and their end, if `rest` begins with them.
fn flag_tags(rest: &str) -> Option<&str> {
    let tags =
        rest.chars().take(MAX_FLAG_TAGS.saturating_add(1)).take_while(|c| is_tag(*c)).count();
    let (end, last) = rest.char_indices().nth(tags)?;
    if tags == 0 || last != TAG_END {
        return None;
    }
    rest.get(..end.saturating_add(TAG_END.len_utf8()))
}

/// What has been let through, and what may follow it.
#[derive(Default)]
struct Cleaner {
    done: String,
    last: Option<char>,
    marks: usize,
    breaks: usize,
    joiners: usize,
}

impl Cleaner {
    /// A character that is not part of an emoji's invisible scaffolding.
    fn push(&mut self, c: char) {
        if is_combining_mark(c) && !is_replaced(c) {
            return self.push_mark(c);
        }
        let c = if is_replaced(c) { VISIBLE } else { c };
        // A joined emoji goes on counting; everything else starts anew.
        if self.last != Some(JOINER) && !is_modifier(c) {
            self.joiners = 0;
        }
        self.marks = 0;
        self.breaks = 0;
        self.emit(c);
    }

    /// Row 10: at most four on a base; the first that is too many shows, the others go.
    fn push_mark(&mut self, c: char) {
        // A mark without a base would sit on what the face draws before it.
        if self.last.is_none_or(|last| last == '\n') {
            return self.push(VISIBLE);
        }
        self.marks = self.marks.saturating_add(1);
        if self.marks <= MAX_MARKS {
            self.emit(c);
        } else if self.marks == MAX_MARKS.saturating_add(1) {
            self.emit(VISIBLE);
        }
    }

    fn line_break(&mut self) {
        self.breaks = self.breaks.saturating_add(1);
        if self.breaks <= MAX_BREAKS {
            self.marks = 0;
            self.joiners = 0;
            self.emit('\n');
        }
    }

    fn push_hidden(&mut self, c: char) {
        self.emit(c);
    }

    fn push_joiner(&mut self) {
        self.joiners = self.joiners.saturating_add(1);
        self.emit(JOINER);
    }

    fn emit(&mut self, c: char) {
        self.done.push(c);
        self.last = Some(c);
    }

    /// Row 6: a joiner stands between two pictographs.
    fn joins(&self, next: Option<char>) -> bool {
        self.joiners < MAX_JOINERS
            && self.last.is_some_and(|c| is_pictograph(c) || c == '\u{FE0F}')
            && next.is_some_and(is_pictograph)
    }

    /// Row 6: a variation selector stands after a pictograph, or after the digit of a keycap.
    fn takes_selector(&self) -> bool {
        self.last.is_some_and(|c| is_pictograph(c) || is_keycap_base(c))
    }
}

/// A skin tone, which belongs to the pictograph before it.
const fn is_modifier(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}
