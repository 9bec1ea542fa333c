//! What a contact says.

use crate::choices::Choices;
use content::display::Untrusted;
use content::{
    Content, FileEnd, FileKey, FileProgress, Joiner, MAX_TEXT, Offer, PART_LEN, Part, Report,
    Timer, TimerSetting, safe_file_name, split_text,
};
use std::sync::LazyLock;

/// One message's content (CNT-1): one value, one encoding; unknown kinds are shown as such.
pub fn kinds(data: &[u8]) {
    match Content::decode(data) {
        Ok(Content::Unsupported { kind }) => {
            assert!(![0, 1, 2, 3, 4, 6, 7, 8, 9].contains(&kind) && Some(&kind) == data.first());
        }
        Ok(content) => assert_eq!(*content.encode(), data),
        Err(_) => {}
    }
}

/// Parts of one text in any order, some of them false; the joiner is saved and loaded between.
///
/// `bytes of text(2) ‖ orders`, an order being `what(1) ‖ part(1) ‖ value(1)`
pub fn join(data: &[u8]) {
    let mut choices = Choices::new(data);
    let text = "aé\u{1F600}".repeat(usize::from(choices.u16() % 700) + 1);
    let parts = split_text([1; 16], 2, 3, Timer::OFF, &text).unwrap();
    let mut joiner = Joiner::new();
    for _ in 0..8 {
        let (what, mut part, value) =
            (choices.byte(), choices.one_of(&parts).clone(), choices.byte());
        let honest = falsify(&mut part, what, value);
        let before = joiner.to_secret_bytes();
        match joiner.add(part) {
            Err(_) => assert_eq!(*joiner.to_secret_bytes(), *before),
            Ok(Some(whole)) => assert!(!honest || whole.len() <= MAX_TEXT),
            Ok(None) => {}
        }
        let saved = joiner.to_secret_bytes();
        joiner = Joiner::from_secret_bytes(&saved).unwrap();
        assert_eq!(*joiner.to_secret_bytes(), *saved);
        if choices.is_empty() {
            break;
        }
    }
}

fn falsify(part: &mut Part, what: u8, value: u8) -> bool {
    match what % 16 {
        0 => part.index = part.index.wrapping_add(value.into()),
        1 => part.count = part.count.wrapping_add(value.into()),
        2 => part.total = part.total.wrapping_add(value.into()),
        3 => part.bytes.truncate(part.bytes.len().saturating_sub(value.into())),
        4 => part.bytes.push(value),
        5 => part.bytes[0] ^= value,
        6 => part.message[0] ^= value,
        7 => part.sent ^= u64::from(value),
        _ => return true,
    }
    false
}

/// The joiner as the store keeps it: bare bytes, or an edited one.
pub fn joiner(data: &[u8]) {
    let mut choices = Choices::new(data);
    let bytes = if choices.byte() & 1 == 0 { choices.rest().to_vec() } else { choices.edit(&HALF) };
    if let Ok(joiner) = Joiner::from_secret_bytes(&bytes) {
        assert_eq!(*joiner.to_secret_bytes(), bytes);
    }
}

/// The first and the last of three parts.
static HALF: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let parts = split_text([1; 16], 2, 3, Timer::OFF, &"x".repeat(PART_LEN * 2 + 9)).unwrap();
    let mut joiner = Joiner::new();
    for part in [&parts[2], &parts[0]] {
        assert_eq!(joiner.add(part.clone()), Ok(None));
    }
    joiner.to_secret_bytes().to_vec()
});

/// Peer's words on the way to a face (HOS-10): nothing that moves a cursor, and shown twice is
/// shown once.
pub fn display(data: &[u8]) {
    let lossy = String::from_utf8_lossy(data);
    let text = Untrusted::Text(&lossy).display();
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!text.contains("\n\n\n"));
    assert_eq!(Untrusted::Text(&text).display(), text);
    let name = Untrusted::Name(&lossy).display();
    assert!(!name.chars().any(char::is_control));
    assert_eq!(name.trim(), name);
    assert_eq!(Untrusted::Name(&name).display(), name);
}

/// A peer's name of a file: one harmless component, and made safe again the same (FIL-2).
pub fn file_name(data: &[u8]) {
    let safe = safe_file_name(&String::from_utf8_lossy(data));
    assert!((1..=121).contains(&safe.len()));
    assert!(safe.chars().all(|c| c.is_alphanumeric() || " -_.()".contains(c)));
    assert!(!safe.starts_with(['.', '-', ' ']) && !safe.ends_with(['.', ' ']));
    assert_eq!(safe_file_name(&safe), safe);
}

pub fn file_name_seeds() -> Vec<Vec<u8>> {
    ["photo.jpg", "../../etc/passwd", "a\u{202E}gpj.exe", ".hidden", "CON.txt", "e\u{301}.pdf"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

pub fn kinds_seeds() -> Vec<Vec<u8>> {
    let text = "x".repeat(PART_LEN + 1);
    let parts = split_text([1; 16], 2, 3, Timer::OFF, &text).unwrap();
    let mut all: Vec<Content> = parts.into_iter().map(Content::Part).collect();
    all.push(Content::Part(split_text([1; 16], 2, 3, Timer::OFF, "hi").unwrap().remove(0)));
    all.push(Content::Receipt);
    all.push(Content::NewGeneration { g: 5, r: content::GenerationRandom::copy_of(&[6; 32]) });
    all.push(Content::InboxSet { version: 1, mailboxes: vec![[1; 32]] });
    all.push(Content::InboxSet { version: 2, mailboxes: vec![[1; 32], [2; 32]] });
    let (key, name) = (FileKey::copy_of(&[7; 32]), "a name".to_owned());
    let offer = Offer { file: [1; 16], key, size: 9, hash: [2; 32], sent: 3, name };
    all.push(Content::FileOffer(offer));
    for progress in [FileProgress::Have { base: 5, map: 9 }, FileProgress::End(FileEnd::Whole)] {
        all.push(Content::FileReport(Report { file: [1; 16], progress }));
    }
    let timer = Timer::new(86_400).unwrap();
    all.push(Content::Timer(TimerSetting { counter: 3, timer }));
    all.push(Content::Floor { floor: 7 });
    all.push(Content::Unsupported { kind: 10 });
    all.iter().map(|content| content.encode().to_vec()).collect()
}

pub fn join_seeds() -> Vec<Vec<u8>> {
    let honest = [0, 0, 15, 0, 0];
    let three = [2, 188, 15, 0, 0, 15, 2, 0, 15, 1, 0, 15, 1, 0];
    vec![honest.to_vec(), three.to_vec(), [&three[..5], &[0, 1, 1, 5, 1, 9]].concat()]
}

pub fn joiner_seeds() -> Vec<Vec<u8>> {
    vec![vec![0], vec![1], vec![1, 1, 0, 34, 0]]
}

pub fn display_seeds() -> Vec<Vec<u8>> {
    [
        "Hello\tWorld\r\n\n\n\nend",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F466} \u{1F44D}\u{1F3FD} 1\u{FE0F}\u{20E3}",
        "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "a\u{202E}b\u{2066}c\u{200B}d \u{3164} \u{E000}",
        "  name \u{A0} of\u{2003}someone ",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
