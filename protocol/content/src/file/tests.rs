use super::*;
use crate::Content;

fn offer(name: &str, size: u32) -> Offer {
    let key = FileKey::copy_of(&[7; 32]);
    Offer { file: [1; 16], key, size, hash: [2; 32], sent: 3, name: name.to_owned() }
}

fn bytes_of(offer: Offer) -> Vec<u8> {
    Content::FileOffer(offer).encode().to_vec()
}

fn accepted(bytes: &[u8]) -> bool {
    Content::decode(bytes).is_ok_and(|content| *content.encode() == *bytes)
}

#[test]
fn fil_1_offers_have_one_encoding_and_bounds() {
    for (name, size) in [("a", 1), (&"n".repeat(MAX_FILE_NAME), MAX_FILE)] {
        assert!(accepted(&bytes_of(offer(name, size))));
    }
    for (name, size) in [("a", 0), ("a", MAX_FILE + 1), ("", 1)] {
        assert!(Content::decode(&bytes_of(offer(name, size))).is_err(), "{name} {size}");
    }
    let whole = bytes_of(offer("name", 9));
    assert_eq!(whole.len(), 1 + 16 + 32 + 4 + 32 + 8 + 1 + 4);
    for len in 1..whole.len() {
        assert!(Content::decode(&whole[..len]).is_err(), "{len}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(Content::decode(&longer).is_err());
    let mut bad = whole;
    *bad.last_mut().unwrap() = 0xff;
    assert!(Content::decode(&bad).is_err(), "no UTF-8");
}

#[test]
fn fil_1_reports_have_one_encoding_and_an_end_has_no_numbers() {
    let ends =
        [FileEnd::Whole, FileEnd::Declined, FileEnd::NoRoom, FileEnd::Damaged, FileEnd::Withdrawn];
    let all = ends.map(FileProgress::End).into_iter();
    for progress in all.chain([FileProgress::Have { base: 5, map: 9 }]) {
        let bytes = Content::FileReport(Report { file: [1; 16], progress }).encode();
        assert_eq!(bytes.len(), 1 + 16 + 1 + 4 + 8);
        assert!(accepted(&bytes));
        let mut numbered = bytes.to_vec();
        *numbered.last_mut().unwrap() ^= 1;
        let have = matches!(progress, FileProgress::Have { .. });
        assert_eq!(Content::decode(&numbered).is_ok(), have);
    }
    let mut unknown =
        Content::FileReport(Report { file: [1; 16], progress: FileProgress::End(FileEnd::Whole) })
            .encode()
            .to_vec();
    unknown[17] = 6;
    assert!(Content::decode(&unknown).is_err());
}
