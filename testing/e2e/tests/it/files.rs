//! A file over real Tor.

use super::stage::Stage;

/// 1 MB in `fast` mode, byte for byte, into the folder that the user chose.
#[test]
fn fil_12_a_megabyte_goes_over_tor() {
    let stage = Stage::paired();
    let (alice, bob, folder) = (&stage.alice, &stage.bob, stage.folder.path());
    let bytes: Vec<u8> =
        (0..1_000_000_u32).map(|k| k.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let source = folder.join("source.bin");
    std::fs::write(&source, &bytes).unwrap();
    let chosen = folder.join("chosen");
    std::fs::create_dir(&chosen).unwrap();
    bob.must(&["files", "folder", chosen.to_str().unwrap()]).unwrap();
    let path = source.to_str().unwrap();
    let wait = ["--wait", "delivered", "--timeout", "900"];
    let sent =
        alice.must(&[&["--json", "send", "bob", "--file", path], &wait[..]].concat()).unwrap();
    assert_eq!(sent.json().unwrap().last().unwrap()["state"], "done");
    assert!(std::fs::read(chosen.join("source.bin")).unwrap() == bytes);
    assert_eq!(bob.json(&["files"]).unwrap()[0]["saved"], "source.bin");
}
