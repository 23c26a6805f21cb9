//! A word that nobody knows + the words that are known → the one that was probably meant. Says nothing where none is near.

/// The candidate that the fewest slips of the keyboard turn into `word`. `None`: every one would take more slips than a third of the
/// word's length (at least one is always forgiven). A candidate that only continues the word (`secretFile` after `secret`) is one slip
/// away. Case counts for nothing; of two that are equally near, the first wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(MAX_LENGTH + 1).flat_map(char::to_lowercase).collect();
    if word.is_empty() || word.len() > MAX_LENGTH {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| {
            let lower: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            (if word != lower && continues(&word, &lower) { 1 } else { slips(&word, &lower) }, candidate)
        })
        .min_by_key(|(slips, _)| *slips)
        .filter(|(slips, _)| *slips <= (word.len() / 3).max(1))
        .map(|(_, candidate)| candidate)
}

/// Nothing longer is a name of ours, and the work stays small whatever is typed.
const MAX_LENGTH: usize = 64;

/// Fewer letters than three begin too much.
fn continues(word: &[char], candidate: &[char]) -> bool {
    word.len() >= 3 && candidate.starts_with(word)
}

/// Letters left out, added, changed, or two neighbours swapped (the optimal string alignment distance).
fn slips(from: &[char], to: &[char]) -> usize {
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut least = (above[j] + usize::from(a != b)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(swapped(&before, j) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

fn swapped(row: &[usize], j: usize) -> usize {
    row.get(j - 1).copied().unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Code;

    #[test]
    fn a_slip_of_the_keyboard_finds_the_code_that_was_meant() {
        let names = || Code::ALL.iter().map(|code| code.name());
        let table = [
            ("key-mismatch", Some("key-mismatch")),
            ("key-missmatch", Some("key-mismatch")),
            ("kye-mismatch", Some("key-mismatch")),
            ("KEY_MISMATCH", Some("key-mismatch")),
            ("leaf-expird", Some("leaf-expired")),
            ("cert-expired", Some("leaf-expired")),
            ("listner-weged", Some("listener-wedged")),
            ("ws-notfound", Some("ws-not-found")),
            ("what-is-this-even", None),
            ("", None),
            ("x", None),
        ];
        for (typed, meant) in table {
            assert_eq!(nearest(typed, names()), meant, "{typed}");
        }
    }

    #[test]
    fn a_misspelt_setting_finds_the_one_that_was_meant() {
        let known = ["address", "username", "secretFile", "auth", "tls", "configDir", "restartHelps"];
        let table = [
            ("adress", Some("address")),
            ("adrdess", Some("address")),
            ("user_name", Some("username")),
            ("configdir", Some("configDir")),
            ("config_dir", Some("configDir")),
            ("secret", Some("secretFile")),
            ("restart-helps", Some("restartHelps")),
            ("tsl", Some("tls")),
            ("banana", None),
        ];
        for (typed, meant) in table {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        let count = |a: &str, b: &str| slips(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!([count("", ""), count("", "abc"), count("kitten", "sitting"), count("ab", "ba"), count("çã", "ca")], [0, 3, 3, 1, 2]);
    }

    #[test]
    fn a_huge_word_costs_nothing() {
        assert_eq!(nearest(&"x".repeat(10_000_000), Code::ALL.iter().map(|code| code.name())), None);
    }
}
