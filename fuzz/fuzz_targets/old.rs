//! libFuzzer's way in; what is shown stands with the body.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| starkeeper_fuzz::wire::old(data));
