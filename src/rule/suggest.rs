//! "Did you mean": the nearest of a few words.

/// `; did you mean …?` when one of `words` is near enough to `word`, else what there is.
pub(super) fn hint<'w>(word: &str, words: impl Iterator<Item = &'w str> + Clone) -> String {
    if let Some(near) = nearest(word, words.clone()) {
        return format!("; did you mean `{near}`?");
    }
    let mut all: Vec<&str> = words.collect();
    all.sort_unstable();
    if all.is_empty() || all.len() > 12 { String::new() } else { format!("; there are {}", all.join(", ")) }
}

fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let allowed = word.chars().count().div_ceil(3).min(3);
    words
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words; long words are cut, they are no slips of the pen.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let here = (diagonal + usize::from(from != *to)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = here;
            left = here;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found() {
        assert_eq!(distance("kitten", "sitting"), 3);
        let words = ["holds_data", "host", "path"];
        assert_eq!(hint("hold_data", words.into_iter()), "; did you mean `holds_data`?");
        assert_eq!(hint("zzzzzzzz", words.into_iter()), "; there are holds_data, host, path");
    }
}
