use std::fs;
use vectors::{differences, folder, generate, load, mistakes_in, write};

/// Generated output differs from the committed files only when bytes have changed.
#[test]
fn committed_vectors_are_what_is_made() {
    let files = generate();
    let different = differences(&folder(), &files).unwrap();
    assert!(different.is_empty(), "not what is made: {different:?}; see `cargo xtask vectors`");
}

/// Each way in which a folder can differ is named.
#[test]
fn control_a_changed_a_missing_and_a_superfluous_file_are_named() {
    let mut files = vectors::mistakes::generate();
    let scratch = std::env::temp_dir().join(format!("pvtcoms-vectors-{}", std::process::id()));
    write(&scratch, &files).unwrap();
    let before = differences(&scratch, &files);
    fs::remove_file(scratch.join("mistakes/wire-short.json")).unwrap();
    fs::write(scratch.join("mistakes/wire-long.json"), "{}").unwrap();
    files.remove("mistakes/wire-reserved.json");
    let after = differences(&scratch, &files);
    fs::remove_dir_all(&scratch).unwrap();
    assert_eq!(before.unwrap(), Vec::<String>::new());
    let expected = ["wire-long", "wire-short", "wire-reserved"];
    assert_eq!(after.unwrap(), expected.map(|name| format!("mistakes/{name}.json")));
}

#[test]
fn vectors_stay_below_three_mebibytes() {
    let mut names = mistakes_in(&folder()).unwrap();
    names.extend([vectors::TRANSCRIPT, vectors::STATES].map(str::to_owned));
    let bytes: u64 =
        names.iter().map(|name| fs::metadata(folder().join(name)).unwrap().len()).sum();
    assert!(bytes < 3 * 1024 * 1024, "{bytes} bytes");
    assert!(load(&folder(), vectors::STATES).unwrap().is_object());
}
