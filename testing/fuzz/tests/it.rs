//! The committed corpora and the generators' inputs, in a build like any other.

use targets::{TARGETS, programs};

#[test]
fn committed_corpora_replay_and_are_small() {
    let mut total = 0;
    for target in TARGETS {
        let inputs = target.corpus();
        assert!(!inputs.is_empty(), "{}: no corpus", target.name);
        for input in inputs {
            assert!(input.len() <= target.max_len, "{}: {} bytes", target.name, input.len());
            total += input.len();
            (target.run)(&input);
        }
    }
    assert!(total <= 1_000_000, "the corpora have grown to {total} bytes: minimise them");
}

#[test]
fn generated_inputs_replay_and_fit() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}: no valid inputs", target.name);
        for seed in seeds {
            assert!(seed.len() <= target.max_len, "{}: {} bytes", target.name, seed.len());
            (target.run)(&seed);
        }
    }
}

/// Every target has its program in `fuzz/`, and the other way round.
#[test]
fn every_target_has_its_program() {
    let bin = programs().join("src/bin");
    let mut programs: Vec<String> = std::fs::read_dir(bin)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| !["control", "plan"].contains(&name.as_str()))
        .collect();
    programs.sort();
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    assert_eq!(programs, names);
}

/// The hook that lets the fuzzer past a tag does not exist here.
#[test]
fn forged_tags_are_refused_in_a_normal_build() {
    assert!(!targets::aead::forged_tags_pass());
}
