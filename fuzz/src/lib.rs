//! Bytes → every reader of the program that meets bytes from outside. Not only that none panics: each body states what must hold whatever
//! the bytes are. libFuzzer calls them by `fuzz_targets/`, `cargo test` by `tests/fuzz_corpus.rs`, with the same seeds.
#![allow(clippy::unwrap_used, reason = "a body that cannot go on has found something")]

pub mod ami;
pub mod client;
pub mod conf;
pub mod host;
pub mod page;
pub mod pair;
pub mod sip;
pub mod wire;

/// Several inputs in one: parted at NUL bytes, which no text that is read here holds.
pub(crate) fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0)
}

/// A secret that no output may show.
pub(crate) const SECRET: &str = "hush-hush-secret";

/// Panics where `output` shows the secret, and `data` did not.
pub(crate) fn hushed(data: &[u8], output: &str) {
    let told = data.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    assert!(told || !output.contains(SECRET), "the secret is shown: {output}");
}

/// Shows findings as every surface shows them.
pub(crate) fn told(findings: &[starkeeper::diagnosis::Finding]) -> String {
    use starkeeper::diagnosis::Lang;
    let tell = |finding: &starkeeper::diagnosis::Finding| {
        [Lang::En, Lang::PtBr].map(|lang| format!("{}\n{}\n", finding.meaning(lang), finding.remedy(lang))).concat()
    };
    findings.iter().map(tell).collect()
}
