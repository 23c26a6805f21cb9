//! A misspelt word and the known ones → the one that was meant, if any is near enough.

/// The known word that `word` most likely stands for. Case does not count, nor does a known word that only continues it (`secret` for
/// `secretFile`).
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST).flat_map(char::to_lowercase).collect();
    let limit = (word.len() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| {
            let lower: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            let continues = word.len() >= 3 && lower.starts_with(&word);
            (if continues { 1 } else { distance(&word, &lower) }, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// No known word is longer; the effort is quadratic.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn misspelt_words_lead_to_the_one_that_was_meant() {
        let known = ["address", "username", "secretFile", "auth", "tls", "configDir", "restartHelps"];
        for (word, meant) in [
            ("adress", Some("address")),
            ("addres", Some("address")),
            ("adrdess", Some("address")),
            ("user_name", Some("username")),
            ("configdir", Some("configDir")),
            ("config_dir", Some("configDir")),
            ("secret", Some("secretFile")),
            ("restart-helps", Some("restartHelps")),
            ("tsl", Some("tls")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
