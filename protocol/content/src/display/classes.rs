//! Classes of characters, as ranges of the Unicode Character Database.

/// Characters that are never shown: controls, line and paragraph separators, everything that is
/// invisible by default (zero-width, bidirectional, soft hyphen, variation selectors, tags),
/// annotations, private use (a face's own icons may lie there) and noncharacters.
pub(super) const fn is_replaced(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}'                     // C0, DEL, C1
        | '\u{AD}' | '\u{34F}' | '\u{61C}'
        | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{2800}' | '\u{3164}'                                  // blank, yet no space
        | '\u{E000}'..='\u{F8FF}'                                  // private use
        | '\u{FDD0}'..='\u{FDEF}'                                  // noncharacters
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{FFFE}' | '\u{FFFF}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{1FFFE}' | '\u{1FFFF}' | '\u{2FFFE}' | '\u{2FFFF}' | '\u{3FFFE}'..='\u{10FFFF}')
}

/// Characters that are one space in a name: line breaks, tabs and every width of space.
pub(super) const fn is_fold(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Blocks that hold the pictographs which emoji sequences are made of.
pub(super) const fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{24C2}'
        | '\u{25A0}'..='\u{27BF}' | '\u{2934}' | '\u{2935}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Characters that make a keycap.
pub(super) const fn is_keycap_base(c: char) -> bool {
    matches!(c, '0'..='9' | '#' | '*')
}

/// Tag characters for a letter or digit, as in the flags of England, Scotland and Wales.
pub(super) const fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}')
}
