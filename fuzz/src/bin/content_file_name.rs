#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::content::file_name(data));
