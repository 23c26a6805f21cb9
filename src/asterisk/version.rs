//! What a release of Asterisk can do.

/// Whether a reload of res_pjsip.so has TLS transports take up a new certificate of the same file name: from 16.29, 18.15, 19.7 and 20.0
/// on. What cannot be read as a version counts as new.
pub fn reloads_sip_tls(version: &str) -> bool {
    let mut numbers = version.trim_start_matches("certified/").split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), minor) = (numbers.next(), numbers.next().and_then(Result::ok).unwrap_or(0)) else { return true };
    match major {
        16 => minor >= 29,
        18 => minor >= 15,
        19 => minor >= 7,
        _ => major >= 20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_branch_learnt_it_at_a_release_of_its_own() {
        let table = [
            ("16.28.0~dfsg-0+deb11u4", false),
            ("16.29.0", true),
            ("13.38.3", false),
            ("17.9.4", false),
            ("18.14.0", false),
            ("18.15.0", true),
            ("18.9-cert14", false),
            ("19.7.0", true),
            ("19.6.0", false),
            ("20.0.0", true),
            ("22.10.1~dfsg+~cs6.15.60671435-1", true),
            ("GIT-master-0a1b2c", true),
            ("", true),
        ];
        for (version, expected) in table {
            assert_eq!(reloads_sip_tls(version), expected, "{version}");
        }
    }
}
