//! A planted fault: `cargo xtask fuzz --control` must find it. Without coverage that takes 2^32 tries.
//! It refuses to start without the hook behind `cfg(fuzzing)`: the other programs would stop at every tag.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: assert!(targets::aead::forged_tags_pass(), "built without cfg(fuzzing)"),
    |data: &[u8]| {
        let mut fits = 0;
        for (found, wanted) in data.iter().zip(b"PVT!") {
            if found != wanted {
                return;
            }
            fits += 1;
        }
        assert!(fits < 4, "the planted fault");
    }
);
